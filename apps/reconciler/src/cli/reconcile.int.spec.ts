import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TransferId } from '@surety/domain';
import { aPayerAndPayee, hex } from '@surety/testing/payer-and-payee';
import type { PayerAndPayee } from '@surety/testing/payer-and-payee';
import { BECAUSE, runInProcess } from './spec-support.js';
import type { Ran } from './spec-support.js';

let system: PayerAndPayee;
let held: TransferId;
let committed: TransferId;

beforeAll(async () => {
  system = await aPayerAndPayee();
  held = await system.transferIn('held', 1);
  committed = await system.transferIn('committed', 2);
  await system.project();
  await system.remember();
});

afterEach(async () => {
  await system.heal();
});

afterAll(async () => {
  await system?.shards.drop();
});

function surety(...args: string[]): Promise<Ran> {
  const environment = { SURETY_SHARDS: system.shards.urls.join(',') };
  return runInProcess(args, { environment });
}

describe('surety check', () => {
  it('looks at everything first, then at what is new, and says which', async () => {
    const first = await surety('check');
    expect(first).toMatchObject({ code: 0 });
    expect(first.out).toContain('checked: everything');
    const second = await surety('check');
    expect(second).toMatchObject({ code: 0 });
    expect(second.out).toMatch(/checked: what has happened since \d{4}-/);
    expect(second.out).toMatch(/verified point: \d{4}-/);
    const full = await surety('check', '--full', '--json');
    expect(JSON.parse(full.out)).toMatchObject({ ok: true, form: 'full', isVerified: true });
  });

  it('reminds of what the last look at everything has found', async () => {
    await surety('check');
    await system.source.send([
      `UPDATE transfers SET reason = 'held_limit' WHERE id = ${hex(committed)}`,
      `UPDATE transfers SET state = 'rejected' WHERE id = ${hex(committed)}`,
    ]);
    expect(await surety('check')).toMatchObject({ code: 0 });
    expect(await surety('check', '--full')).toMatchObject({ code: 1 });
    const since = await surety('check');
    expect(since.code).toBe(0);
    expect(since.out).toContain('note: the last check of everything');
  });
});

describe('surety reconcile', () => {
  it('says what it would correct, corrects it, and tells of it afterwards', async () => {
    await system.source.send([
      `UPDATE accounts SET balance = balance + 1 WHERE id = '${system.payer}'`,
      `DELETE FROM holds WHERE transfer_id = ${hex(held)}`,
    ]);
    const dry = await surety('reconcile', 'run', '--dry-run');
    expect(dry.out).toContain('2 corrections would be made, 0 refused');
    const report = await surety('reconcile', 'report');
    expect(report.code).toBe(1);
    expect(report.out).toContain(`account ${system.payer}`);
    expect(report.out).toContain('nothing was repaired lately');
    expect(await surety('check', '--full')).toMatchObject({ code: 1 });

    const run = await surety('reconcile', 'run', '--json', ...BECAUSE);
    expect(run.code).toBe(0);
    const { corrections } = JSON.parse(run.out) as { corrections: unknown };
    expect(corrections).toMatchObject({
      corrected: [{ key: `transfer ${held}` }, { key: `account ${system.payer}` }],
      refused: [],
    });
    expect(await surety('check', '--full')).toMatchObject({ code: 0 });
    const after = await surety('reconcile', 'report');
    expect(after.code).toBe(0);
    expect(after.out).toContain('operator:spec');
    expect(after.out).toContain('correct.account');
  });

  it('says what it has not looked at, and looks at everything once something is known of it', async () => {
    await surety('check');
    await system.source.send([
      `UPDATE ledger_entries SET amount = amount - 1 WHERE transfer_id = ${hex(committed)} ` +
        `AND account_id = '${system.payer}'`,
    ]);
    const blind = await surety('reconcile', 'run', ...BECAUSE);
    expect(blind.code).toBe(0);
    expect(blind.out).toMatch(
      /^looked at: what has happened since (\S+), as of \S+\nnot looked at: history before \1, .*--full/,
    );
    const blindJson = await surety('reconcile', 'run', '--json', ...BECAUSE);
    expect(JSON.parse(blindJson.out)).toMatchObject({
      corrections: { form: 'since', since: expect.any(String), lastFull: { findings: 0 } },
    });

    const row = `leg ${system.payer} entry 2`;
    const check = await surety('check', '--full');
    expect(check.code).toBe(1);
    expect(check.out).toContain(row);
    for (const full of [[], ['--full']]) {
      const run = await surety('reconcile', 'run', ...full, ...BECAUSE);
      expect(run.code).toBe(1);
      expect(run.out).toMatch(/^looked at: everything, as of \S+\nthe look at everything before/);
      expect(run.out).toMatch(new RegExp(`${row} .*its ledger is not sound`));
      expect(run.out).toMatch(/0 corrections made, [1-9]\d* refused/);
    }
    const json = await surety('reconcile', 'report', '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ corrections: { form: 'full', since: null } });

    await system.source.send([
      `UPDATE ledger_entries SET amount = amount + 1 WHERE transfer_id = ${hex(committed)} ` +
        `AND account_id = '${system.payer}'`,
    ]);
    expect(await surety('reconcile', 'run', ...BECAUSE)).toMatchObject({ code: 0 });
    const after = await surety('reconcile', 'run', ...BECAUSE);
    expect(after.out).toContain('not looked at: history before');
  });

  it('refuses what has no one right answer, in words', async () => {
    await system.source.send([
      `DELETE FROM ledger_entries WHERE transfer_id = ${hex(committed)} AND account_id = '${system.payer}'`,
    ]);
    const run = await surety('reconcile', 'run', '--full', ...BECAUSE);
    expect(run.code).toBe(1);
    expect(run.out).toContain('its ledger is not sound');
    expect(run.out).toMatch(/0 corrections made, [1-9]\d* refused/);
    expect((await surety('reconcile', 'report', '--json')).code).toBe(1);
  });
});
