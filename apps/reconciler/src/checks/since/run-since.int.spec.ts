import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TransferId } from '@surety/domain';
import { readVerifiedPoint } from '@surety/db';
import type { Shard } from '@surety/db';
import { aPayerAndPayee, hex } from '@surety/testing/payer-and-payee';
import type { PayerAndPayee } from '@surety/testing/payer-and-payee';
import { checkSystem } from '../check-system.js';
import type { CheckRun } from '../check-system.js';
import { SINCE_CHECK_NAMES } from './run-since.js';

let system: PayerAndPayee;
let source: Shard;
let destination: Shard;
let payer: string;
let idle: string;

function check(form: CheckRun['form'] = 'since'): Promise<CheckRun> {
  return checkSystem(system.shards.pools, { form, projectionPatienceMs: 1 });
}

function schemaOf({ id }: Shard): string {
  return new URL(system.shards.urls[id] as string).pathname.slice(1);
}

function broken({ results }: CheckRun): readonly string[] {
  return results.flatMap(({ check: name, findings }) =>
    findings.map(({ key, problem }) => `${name}: ${key} ${problem}`),
  );
}

interface Ids {
  readonly requested: TransferId;
  readonly held: TransferId;
  readonly old: TransferId;
  /** Begun before the point, ended after it. */
  readonly late: TransferId;
  readonly committed: TransferId;
  readonly credited: TransferId;
  readonly rejected: TransferId;
  readonly cancelled: TransferId;
  /** Begun and ended after the point, with an id of long ago. */
  readonly hidden: TransferId;
}
let ids: Ids;
let first: CheckRun;
let second: CheckRun;

beforeAll(async () => {
  system = await aPayerAndPayee();
  ({ source, destination, payer, idle } = system);
  const { transferIn, idOfNow } = system;
  const old = await transferIn('committed', 1);
  const late = await transferIn('held', 2);
  const requested = await transferIn('requested', 3);
  await system.project();
  first = await check();
  await system.advance(late, 'committed');
  ids = {
    ...{ old, late, requested },
    held: await transferIn('held', 4, idOfNow()),
    credited: await transferIn('credited', 5, idOfNow()),
    committed: await transferIn('committed', 6, idOfNow()),
    rejected: await transferIn('rejected', 7, idOfNow()),
    cancelled: await transferIn('cancelled', 8, idOfNow()),
    hidden: await transferIn('committed', 9),
  };
  await system.project();
  await system.remember();
  second = await check();
});

afterAll(async () => {
  await system?.shards.drop();
});

/** Every test begins with the same system: verified once, with work since. */
afterEach(async () => {
  await system.heal();
});

describe('the check of what is new', () => {
  it('looks at everything where nothing was verified yet, and verifies it', () => {
    expect(broken(first)).toEqual([]);
    expect(first).toMatchObject({ form: 'full', since: null, isVerified: true, lastFull: null });
  });

  it('then looks at what has happened since, and moves the point', async () => {
    expect(broken(second)).toEqual([]);
    expect(second).toMatchObject({ form: 'since', since: first.at, ok: true, isVerified: true });
    expect(second.lastFull).toEqual({ at: first.at, findings: 0 });
    expect(second.results.map((result) => result.check)).toEqual(SINCE_CHECK_NAMES);
  });

  it('looks at nothing old again once the point has moved', async () => {
    await check();
    await source.send([`UPDATE verified_points SET verified_at = NOW(6) + INTERVAL 1 HOUR`]);
    await destination.send([`UPDATE verified_points SET verified_at = NOW(6) + INTERVAL 1 HOUR`]);
    const { results } = await check();
    const rows = new Map(results.map((result) => [result.check, result.rowsChecked]));
    expect(rows.get('balances')).toBe(0);
    // Three are open, and each is met as one that was open at the point, too.
    expect(rows.get('histories')).toBe(6);
  });

  it('does not move the point while something is broken, and finds it again', async () => {
    const before = await readVerifiedPoint(source);
    await source.send([`UPDATE accounts SET held = held + 1 WHERE id = '${payer}'`]);
    for (const _ of [1, 2]) {
      expect(broken(await check())).toEqual([
        expect.stringContaining(`held-totals: account ${payer}`),
        expect.stringContaining(`projections: balances ${payer}`),
      ]);
    }
    expect((await readVerifiedPoint(source)).verifiedAt).toBe(before.verifiedAt);
    await system.heal();
    expect(await check()).toMatchObject({ ok: true, isVerified: true });
    const after = (await readVerifiedPoint(source)).verifiedAt;
    expect(after! > before.verifiedAt!).toBe(true);
  });

  it('leaves to the full check what was altered in the verified past', async () => {
    await source.send([
      `UPDATE transfers SET state = 'rejected', reason = 'held_limit' WHERE id = ${hex(ids.old)}`,
    ]);
    expect(await check()).toMatchObject({ form: 'since', ok: true });
    const full = await check('full');
    expect(full).toMatchObject({ form: 'full', ok: false, isVerified: false });
    expect(broken(full)).toContainEqual(expect.stringContaining(`histories: transfer ${ids.old}`));
    expect((await check()).lastFull?.findings).toBeGreaterThan(0);
  });

  it('misses nothing that is committed while it runs', async () => {
    const writers = Array.from({ length: 12 }, (_, at) =>
      system.transferIn('committed', 100 + at, at % 2 === 0 ? system.idOfNow() : undefined),
    );
    const everything = Promise.allSettled(writers);
    let done = false;
    void everything.finally(() => {
      done = true;
    });
    for (let round = 0; round < 50 && !done; round += 1) {
      expect(broken(await check()).filter((text) => !text.startsWith('projections'))).toEqual([]);
    }
    await everything;
    await system.project();
    expect(broken(await check())).toEqual([]);
    expect(broken(await check('full'))).toEqual([]);
  });
});

interface Planted {
  readonly what: string;
  readonly names: () => string;
  readonly on?: 'destination';
  readonly sql: () => string;
}

const legOf = (id: TransferId, account: string): string =>
  `transfer_id = ${hex(id)} AND account_id = '${account}'`;

const PLANTED: readonly Planted[] = [
  {
    what: 'a balance altered under the old version',
    sql: () => `UPDATE accounts SET balance = balance + 1 WHERE id = '${idle}'`,
    names: () => `balances: account ${idle}`,
  },
  {
    what: 'an account that vanished',
    sql: () => `DELETE FROM accounts WHERE id = '${idle}'`,
    names: () => `balances: account ${idle} was verified`,
  },
  {
    what: 'an amount that is not the one of its events',
    sql: () => `UPDATE transfers SET amount = amount + 1 WHERE id = ${hex(ids.committed)}`,
    names: () => `histories: event ${ids.committed}/10`,
  },
  {
    what: 'a new leg with another amount',
    sql: () => `UPDATE ledger_entries SET amount = amount - 1 WHERE ${legOf(ids.committed, payer)}`,
    names: () => `step-legs: transfer ${ids.committed}`,
  },
  {
    what: 'a new leg that does not follow on the one before',
    sql: () => `UPDATE ledger_entries SET balance_after = 1 WHERE ${legOf(ids.committed, payer)}`,
    names: () => `balances: leg ${payer} entry`,
  },
  {
    what: 'a leg of a transfer whose id hides it in the past',
    sql: () => `UPDATE ledger_entries SET amount = amount - 1 WHERE ${legOf(ids.hidden, payer)}`,
    names: () => `step-legs: transfer ${ids.hidden}`,
  },
  {
    what: 'a leg of a transfer that ended since',
    sql: () => `UPDATE ledger_entries SET currency = 'USD' WHERE ${legOf(ids.late, payer)}`,
    names: () => `step-legs: transfer ${ids.late}`,
  },
  {
    what: 'a deleted leg',
    sql: () => `DELETE FROM ledger_entries WHERE ${legOf(ids.committed, payer)}`,
    names: () => `balances: account ${payer}`,
  },
  {
    what: 'a pair of legs taken out together',
    sql: () => `DELETE FROM ledger_entries WHERE transfer_id = ${hex(ids.committed)}`,
    names: () => `step-legs: transfer ${ids.committed}`,
  },
  {
    what: 'an inserted leg',
    sql: () =>
      'INSERT INTO ledger_entries SELECT transfer_id, step, 9, slot, account_id, 99, 5, currency, ' +
      `5, posted_at FROM ledger_entries WHERE ${legOf(ids.committed, payer)}`,
    names: () => `balances: leg ${payer} entry 99`,
  },
  {
    what: 'an inserted leg of a system account',
    sql: () =>
      'INSERT INTO ledger_entries SELECT transfer_id, step, 9, slot, account_id, NULL, 5, currency, ' +
      `NULL, posted_at FROM ledger_entries WHERE transfer_id = ${hex(ids.committed)} ` +
      'AND entry_seq IS NULL',
    names: () => `step-legs: transfer ${ids.committed}`,
  },
  {
    what: 'a pair of legs of nobody',
    sql: () =>
      `INSERT INTO ledger_entries SELECT ${hex(system.idOfNow())}, step, leg, slot, account_id, NULL, ` +
      `amount, currency, NULL, posted_at FROM ledger_entries WHERE transfer_id = ${hex(ids.old)}`,
    names: () => 'step-legs: transfer ',
  },
  {
    what: 'an altered held',
    sql: () => `UPDATE accounts SET held = held - 1 WHERE id = '${payer}'`,
    names: () => `held-totals: account ${payer}`,
  },
  {
    what: 'an overdrawn account',
    sql: () => `UPDATE accounts SET balance = -1 WHERE id = '${payer}'`,
    names: () => `overdraft: account ${payer}`,
  },
  {
    what: 'a deleted hold',
    sql: () => `DELETE FROM holds WHERE transfer_id = ${hex(ids.held)}`,
    names: () => `holds: transfer ${ids.held}`,
  },
  {
    what: 'a hold of another amount',
    sql: () => `UPDATE holds SET amount = amount + 1 WHERE transfer_id = ${hex(ids.held)}`,
    names: () => `holds: transfer ${ids.held}`,
  },
  {
    what: 'a hold that was left over',
    sql: () =>
      `INSERT INTO holds SELECT ${hex(ids.old)}, slot, account_id, amount, expires_at FROM holds ` +
      `WHERE transfer_id = ${hex(ids.held)}`,
    names: () => `holds: transfer ${ids.old}`,
  },
  {
    what: 'an open transfer that is not listed',
    sql: () => `DELETE FROM open_transfers WHERE transfer_id = ${hex(ids.requested)}`,
    names: () => `open-transfers: transfer ${ids.requested}`,
  },
  {
    what: 'an ended transfer that is listed as open',
    sql: () =>
      `INSERT INTO open_transfers SELECT slot, requested_at, id FROM transfers WHERE id = ${hex(ids.old)}`,
    names: () => `open-transfers: transfer ${ids.old}`,
  },
  {
    what: 'an open transfer that is listed and newer than the list',
    sql: () =>
      `INSERT INTO open_transfers SELECT slot, requested_at, id FROM transfers WHERE id = ${hex(ids.held)}`,
    names: () => `open-transfers: transfer ${ids.held}`,
  },
  {
    what: 'an altered state',
    sql: () => `UPDATE transfers SET state = 'held' WHERE id = ${hex(ids.requested)}`,
    names: () => `histories: transfer ${ids.requested}`,
  },
  {
    what: 'an altered state without a leg to it',
    sql: () => `UPDATE transfers SET state = 'rejected' WHERE id = ${hex(ids.cancelled)}`,
    names: () => `histories: transfer ${ids.cancelled}`,
  },
  {
    what: 'a deleted event',
    sql: () => `DELETE FROM transfer_events WHERE transfer_id = ${hex(ids.rejected)} AND step = 20`,
    names: () => `decisions: transfer ${ids.rejected}`,
  },
  {
    what: 'an event of nobody',
    sql: () =>
      `UPDATE transfer_events SET transfer_id = ${hex(system.idOfNow())} ` +
      `WHERE transfer_id = ${hex(ids.rejected)} AND step = 40`,
    names: () => 'histories: event ',
  },
  {
    what: 'a deleted event of a decision',
    on: 'destination',
    sql: () => `DELETE FROM transfer_events WHERE transfer_id = ${hex(ids.committed)}`,
    names: () => `histories: event ${ids.committed}/30`,
  },
  {
    what: 'a deleted decision',
    on: 'destination',
    sql: () => `DELETE FROM decisions WHERE transfer_id = ${hex(ids.late)}`,
    names: () => `decisions: transfer ${ids.late}`,
  },
  {
    what: 'an altered decision',
    on: 'destination',
    sql: () =>
      "UPDATE decisions SET outcome = 'credited', reason = NULL " +
      `WHERE transfer_id = ${hex(ids.cancelled)}`,
    names: () => `decisions: transfer ${ids.cancelled}`,
  },
  {
    what: 'a decision with another amount',
    on: 'destination',
    sql: () => `UPDATE decisions SET amount = amount + 1 WHERE transfer_id = ${hex(ids.credited)}`,
    names: () => `credits: decision ${ids.credited}`,
  },
  {
    what: 'a transfer that vanished after it was credited',
    sql: () => `DELETE FROM transfers WHERE id = ${hex(ids.credited)}`,
    names: () => `credits: decision ${ids.credited}`,
  },
  {
    what: 'a message that nobody wrote',
    sql: () => "UPDATE outbox SET payload = REPLACE(payload, '1000', '9000')",
    names: () => 'outbox: message toSource',
  },
  {
    what: 'an altered projected balance',
    sql: () => `UPDATE balances SET balance = balance + 1 WHERE account_id = '${idle}'`,
    names: () => `projections: balances ${idle}`,
  },
  {
    what: 'a projected balance of nobody',
    sql: () => `UPDATE balances SET account_id = 'ghost' WHERE account_id = '${idle}'`,
    names: () => 'projections: balances ghost',
  },
  {
    what: 'an altered projected status',
    sql: () =>
      `UPDATE transaction_status SET status = 'committed' WHERE transfer_id = ${hex(ids.rejected)}`,
    names: () => `projections: transaction_status ${ids.rejected}`,
  },
  {
    what: 'a projected status newer than the truth',
    sql: () =>
      `UPDATE transaction_status SET version = 50 WHERE transfer_id = ${hex(ids.committed)}`,
    names: () => `projections: transaction_status ${ids.committed.replaceAll('-', '')}`,
  },
  {
    what: 'a projected end of a transfer under way',
    sql: () =>
      'INSERT INTO transaction_status (transfer_id, slot, status, reason, version, updated_at) ' +
      `VALUES (${hex(ids.held)}, 1, 'committed', NULL, 40, NOW(6))`,
    names: () => `projections: transaction_status ${ids.held}`,
  },
  {
    what: 'a projected end of a transfer under way, said to be of an earlier step',
    sql: () =>
      'INSERT INTO transaction_status (transfer_id, slot, status, reason, version, updated_at) ' +
      `VALUES (${hex(ids.held)}, 1, 'committed', NULL, 10, NOW(6))`,
    names: () => `projections: transaction_status ${ids.held}`,
  },
  ...[
    { table: 'accounts', of: () => `id = '${idle}'`, names: () => `account ${idle}` },
    {
      table: 'transfers',
      of: () => `id = ${hex(ids.requested)}`,
      names: () => `transfer ${ids.requested}`,
    },
    {
      table: 'transfer_events',
      of: () => `transfer_id = ${hex(ids.rejected)} AND step = 20`,
      names: () => `event ${ids.rejected}/20`,
    },
    {
      table: 'transfer_events',
      on: 'destination' as const,
      of: () => `transfer_id = ${hex(ids.credited)} AND step = 30`,
      names: () => `event ${ids.credited}/30`,
    },
    {
      table: 'decisions',
      on: 'destination' as const,
      of: () => `transfer_id = ${hex(ids.cancelled)}`,
      names: () => `decision ${ids.cancelled}`,
    },
    {
      table: 'transaction_status',
      of: () => `transfer_id = ${hex(ids.committed)}`,
      names: () => `transaction_status ${ids.committed}`,
    },
  ].map(({ table, of, names, ...rest }) => ({
    ...rest,
    what: `a row of ${table} in another slot: ${rest.on ?? 'source'}`,
    sql: () => `UPDATE ${table} SET slot = (slot + 1) MOD 4096 WHERE ${of()}`,
    names: () => `slots: ${names()} lies in another slot`,
  })),
  ...[
    {
      table: 'accounts',
      of: () => `id = '${idle}'`,
      names: () => `account ${idle}`,
    },
    {
      table: 'transfers',
      of: () => `id = ${hex(ids.rejected)}`,
      names: () => `transfer ${ids.rejected}`,
    },
    {
      table: 'transfer_events',
      of: () => `transfer_id = ${hex(ids.rejected)}`,
      names: () => `event ${ids.rejected}/20`,
    },
    {
      table: 'decisions',
      from: 'destination' as const,
      of: () => `transfer_id = ${hex(ids.credited)}`,
      names: () => `decision ${ids.credited}`,
    },
    {
      table: 'ledger_entries',
      of: () => `transfer_id = ${hex(ids.committed)}`,
      names: () => `transfer ${ids.committed} step 40`,
    },
    {
      table: 'transaction_status',
      of: () => `transfer_id = ${hex(ids.committed)}`,
      names: () => `transaction_status ${ids.committed}`,
    },
  ].map(({ table, of, names, from }) => ({
    what: `a copy of a row of ${table} on the other shard`,
    ...(from ? {} : { on: 'destination' as const }),
    sql: () =>
      `INSERT INTO ${table} SELECT * FROM ${schemaOf(from ? destination : source)}.${table} ` +
      `WHERE ${of()}`,
    names: () => `slots: ${names()} lies on another shard`,
  })),
  {
    what: 'a transfer with a source of another slot',
    sql: () => `UPDATE transfers SET source = 'nobody' WHERE id = ${hex(ids.requested)}`,
    names: () => `slots: transfer ${ids.requested}`,
  },
];

describe('of what is new or open, the check', () => {
  it.each(PLANTED.map((planted) => [planted.what, planted] as const))(
    'names %s',
    async (_what, { sql, on, names }) => {
      const [result] = await (on ? destination : source).send([sql()]);
      expect(result?.affectedRows).toBeGreaterThan(0);
      const run = await check();
      expect(run).toMatchObject({ form: 'since', ok: false, isVerified: false });
      expect(broken(run)).toContainEqual(expect.stringContaining(names()));
    },
  );
});
