import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import {
  findAccount,
  findTransfer,
  readTimeline,
  rememberCurrencies,
  upsertProjections,
} from '@surety/db';
import type { Shard } from '@surety/db';
import { slotOfAccount } from '@surety/domain';
import { applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import { aDeposit, aTransferRequest, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { BECAUSE, runInProcess } from './spec-support.js';
import type { Ran } from './spec-support.js';

const RICH = 'rich-1';
const EMPTY = 'empty-1';

let shards: TestShards;
let shard: Shard;

function surety(...args: string[]): Promise<Ran> {
  return runInProcess(args, { environment: { SURETY_SHARDS: shards.urls.join(',') } });
}

beforeAll(async () => {
  shards = await createTestShards({ count: 1 });
  [shard] = shards.pools.shards as [Shard];
  await openAccounts(shard.store, [anOpening(RICH), anOpening(EMPTY)]);
  await fundAccounts(
    shard.store,
    [1, 2, 3].map((n) => aDeposit(RICH, eur(10_00), n)),
  );
});

afterAll(async () => {
  await shards?.drop();
});

describe('surety accounts show', () => {
  it('tells money, status, shard and the last entries, newest first', async () => {
    const { code, out } = await surety('accounts', 'show', RICH, '--entries', '2');
    expect(code).toBe(0);
    expect(out).toContain(`account      ${RICH}`);
    expect(out).toContain('status       open');
    expect(out).toContain('balance      30.00 EUR');
    expect(out).toContain('available    30.00 EUR');
    expect(out).toContain(`shard        0, slot ${slotOfAccount(RICH)}`);
    const entries = out.split('\n').filter((line) => /^ +[0-9] +[0-9]{4}-/.test(line));
    expect(entries.map((line) => line.trim().split(/ +/)[0])).toEqual(['3', '2']);
  });

  it('tells sums with the decimals that they are stored with, and refuses to with others', async () => {
    const environment = { SURETY_SHARDS: shards.urls.join(',') };
    const show = (SURETY_CURRENCIES = ''): Promise<Ran> =>
      runInProcess(['accounts', 'show', 'golden'], {
        environment: { ...environment, SURETY_CURRENCIES },
      });
    await openAccounts(shard.store, [anOpening('golden', { currency: 'GOLD' })]);
    const gold = { minor: 1_000_001n, currency: 'GOLD' };
    await fundAccounts(shard.store, [aDeposit('golden', gold, 9)]);
    // Of a database where nobody has written them down, nothing is known.
    expect((await show()).out).toContain('balance      1000001 minor GOLD (unknown currency)');
    await rememberCurrencies(shard, [{ code: 'GOLD', exponent: 6 }]);
    expect((await show()).out).toContain('balance      1.000001 GOLD');
    expect((await show('GOLD:6')).out).toContain('balance      1.000001 GOLD');
    const { code, out, err } = await show('GOLD:2');
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('money is stored in GOLD with 6 decimals (shard 0), it has 2 now');
  });

  it('says how far the projection is behind', async () => {
    expect((await surety('accounts', 'show', EMPTY)).out).toContain('none yet');
    const row = {
      ...{ accountId: RICH, slot: slotOfAccount(RICH), currency: 'EUR' },
      ...{ balance: 10_00n, held: 0n, version: 1n, updatedAt: '2026-01-31T10:15:30.123456Z' },
    };
    await upsertProjections(shard, { balances: [row], statuses: [] });
    expect((await surety('accounts', 'show', RICH)).out).toContain(
      'projection   balance 10.00 EUR, held 0.00 EUR, version 1 (2 behind)',
    );
  });

  it('gives machines one document with exact sums', async () => {
    const { out } = await surety('accounts', 'show', RICH, '--json', '--entries', '0');
    expect(JSON.parse(out)).toMatchObject({
      ...{ shard: 0, availableMinor: '3000', entries: [] },
      account: { id: RICH, status: 'open', balance: '3000', version: '3' },
    });
  });

  it('says that there is no such account, and refuses what can be none', async () => {
    const missing = await surety('accounts', 'show', 'nobody');
    expect(missing).toMatchObject({
      code: 1,
      out: '',
      err: 'surety: there is no account nobody\n',
    });
    const wrong = await surety('accounts', 'show', "x' OR 1=1");
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('is not an account id');
  });
});

describe('surety accounts freeze and unfreeze', () => {
  const FROZEN = 'frozen-1';
  const PAYEE = 'payee-1';

  async function auditOf(id: string): Promise<readonly (readonly unknown[])[]> {
    const [lines] = await shard.send([
      'SELECT actor, action, reason, state_before, state_after FROM audit_log ' +
        `WHERE account_id = '${id}' ORDER BY id`,
    ]);
    return lines!.rows;
  }

  async function statusOf(id: string): Promise<string | undefined> {
    return (await findAccount(shard, id))?.status;
  }

  async function endOf(n: number, source: string, destination: string): Promise<unknown> {
    const request = aTransferRequest({ n, source, destination, amount: eur(1_00) });
    await requestTransfers(shard.store, [request]);
    const [event] = await readTimeline(shard, request.transferId);
    await applySteps(shard.store, [readEnvelope(event!.envelope)], {
      ...{ holdTimeoutMs: 60_000, actor: 'saga', continuesOn: () => true },
    });
    const transfer = await findTransfer(shard, request.transferId);
    return [transfer?.state, transfer?.reason];
  }

  beforeAll(async () => {
    await openAccounts(shard.store, [anOpening(FROZEN), anOpening(PAYEE)]);
    await fundAccounts(shard.store, [
      aDeposit(FROZEN, eur(10_00), 4),
      aDeposit(PAYEE, eur(10_00), 5),
    ]);
  });

  it('says in a dry run what would change, and changes nothing', async () => {
    const { code, out } = await surety('accounts', 'freeze', FROZEN, '--dry-run');
    expect(code).toBe(0);
    expect(out).toBe(`account ${FROZEN} would be frozen (it was open)\n`);
    expect([await statusOf(FROZEN), await auditOf(FROZEN)]).toEqual(['open', []]);
  });

  it.each([
    [[], 'add --yes'],
    [['--yes'], 'add --reason'],
    [['--reason', 'x'], 'add --yes'],
  ])('changes nothing with %j where nobody can be asked', async (options, line) => {
    const { code, err } = await surety('accounts', 'freeze', FROZEN, ...options);
    expect(code).toBe(2);
    expect(err).toContain(line);
    expect(await statusOf(FROZEN)).toBe('open');
  });

  it('freezes once, in the name of the operator, and the version stays', async () => {
    const before = await findAccount(shard, FROZEN);
    const { code, out } = await surety('accounts', 'freeze', FROZEN, ...BECAUSE, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      ...{ dryRun: false, account: FROZEN, changed: true },
      ...{ before: 'open', after: 'frozen', refused: null },
    });
    expect(await findAccount(shard, FROZEN)).toEqual({ ...before, status: 'frozen' });
    const again = await surety('accounts', 'freeze', FROZEN, ...BECAUSE);
    expect(again).toMatchObject({
      code: 0,
      out: `account ${FROZEN} is frozen already: nothing to change\n`,
    });
    const line = ['operator:spec', 'operator.freeze', 'a spec wants it'];
    expect(await auditOf(FROZEN)).toEqual([[...line, '{"status":"open"}', '{"status":"frozen"}']]);
  });

  it('keeps money from leaving and from coming, until it is unfrozen', async () => {
    expect(await endOf(10, FROZEN, PAYEE)).toEqual(['rejected', 'source_frozen']);
    expect(await endOf(11, PAYEE, FROZEN)).toEqual(['rejected', 'destination_frozen']);
    expect(await surety('accounts', 'unfreeze', FROZEN, ...BECAUSE)).toMatchObject({ code: 0 });
    expect(await endOf(12, FROZEN, PAYEE)).toEqual(['committed', null]);
    expect(await endOf(13, PAYEE, FROZEN)).toEqual(['committed', null]);
  });

  it('asks a person once more, and takes a no', async () => {
    const asked: string[] = [];
    const ask = async (question: string): Promise<string> => {
      asked.push(question);
      return 'no';
    };
    const { code, err } = await runInProcess(['accounts', 'freeze', FROZEN, '--reason', 'x'], {
      environment: { SURETY_SHARDS: shards.urls.join(',') },
      terminal: { ask, showLine: () => undefined },
    });
    expect(code).toBe(2);
    expect(err).toBe('surety: not confirmed: nothing was changed\n');
    expect(asked).toEqual([`freeze account ${FROZEN}, which is open? [y/N] `]);
    expect(await statusOf(FROZEN)).toBe('open');
  });

  it('refuses an account that is closed, and one that is not there', async () => {
    await shard.send([`UPDATE accounts SET status = 'closed' WHERE id = '${EMPTY}'`]);
    const closed = await surety('accounts', 'unfreeze', EMPTY, ...BECAUSE);
    expect(closed).toMatchObject({
      code: 1,
      out: `account ${EMPTY} stays closed: account_closed\n`,
    });
    const missing = await surety('accounts', 'freeze', 'nobody', ...BECAUSE);
    expect(missing).toMatchObject({ code: 1, err: 'surety: there is no account nobody\n' });
    expect(await auditOf(EMPTY)).toEqual([]);
  });
});
