import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeMessage, encodeEnvelope, encodeMessage, readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import type { TransferId, TransferStatus } from '@surety/domain';
import { findTransfer, readOutbox, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import {
  applySteps,
  fundAccounts,
  openAccounts,
  requestTransfers,
  voidTransfers,
} from '@surety/saga';
import type { KeyClaim } from '@surety/saga';
import { aDeposit, aTransferRequest, anAccountIdOn, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { CHECK_NAMES, runChecks } from './run-checks.js';
import type { CheckResult } from './types.js';

const options = { holdTimeoutMs: 3_600_000, actor: 'saga' };

let shards: TestShards;
let source: Shard;
let destination: Shard;
let payer: string;
let payee: string;

function accountOn(shard: number, prefix: string): string {
  return anAccountIdOn(shards.pools.slotMaps.current(), shard, prefix);
}

async function eventOn(shard: Shard, id: TransferId, step: number): Promise<Envelope> {
  const rows = await readTimeline(shard, id);
  return readEnvelope(rows.find((row) => row.step === step)!.envelope);
}

/** Takes a transfer of the payer's to the state that its place in the list asks for. */
async function transferIn(state: TransferStatus | 'credited', n: number): Promise<TransferId> {
  const to = state === 'rejected' ? accountOn(1, 'nobody') : payee;
  const request = aTransferRequest({ n, source: payer, destination: to, amount: eur(10_00) });
  const id = request.transferId;
  await requestTransfers(source.store, [request]);
  if (state === 'requested') return id;
  await applySteps(source.store, [await eventOn(source, id, 10)], options);
  if (state === 'held') return id;
  const cause = await eventOn(source, id, 20);
  if (state === 'cancelled') {
    await voidTransfers(destination.store, [{ cause, reason: 'hold_expired', actor: 'saga' }]);
  } else {
    await applySteps(destination.store, [cause], options);
  }
  if (state === 'credited') return id;
  await applySteps(source.store, [await eventOn(destination, id, 30)], options);
  expect(await findTransfer(source, id)).toMatchObject({ state });
  return id;
}

/** What the projector would have written by now. */
async function project(): Promise<void> {
  for (const shard of shards.pools.shards) {
    const [accounts, statuses] = await shard.send([
      'INSERT INTO balances SELECT id, slot, currency, balance, held, version, NOW(6) ' +
        'FROM accounts WHERE version > 0',
      'INSERT INTO transaction_status SELECT t.id, t.slot, t.state, t.reason, MAX(e.step), NOW(6) ' +
        'FROM transfers AS t JOIN transfer_events AS e ON e.transfer_id = t.id AND e.step <> 30 ' +
        "WHERE t.state IN ('committed', 'rejected', 'cancelled') GROUP BY t.id",
    ]);
    expect([accounts?.affectedRows, statuses?.affectedRows]).not.toContain(undefined);
  }
}

interface Ids {
  readonly requested: TransferId;
  readonly held: TransferId;
  readonly credited: TransferId;
  readonly committed: TransferId;
  readonly rejected: TransferId;
  readonly cancelled: TransferId;
}
let ids: Ids;

const TABLES = [
  'placement',
  'accounts',
  'transfers',
  'open_transfers',
  'holds',
  'transfer_events',
  'decisions',
  'ledger_entries',
  'idempotency_keys',
  'outbox',
  'balances',
  'transaction_status',
];

function onBothShards(statements: readonly string[]): Promise<unknown> {
  return Promise.all(shards.pools.shards.map((shard) => shard.send(statements)));
}

/** The key under which a client opened the account. */
function aClaim(account: string): KeyClaim {
  const { key, fingerprint } = aDeposit(account, eur(1), 99);
  return { key, fingerprint };
}

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [source, destination] = shards.pools.shards as [Shard, Shard];
  payer = accountOn(0, 'payer');
  payee = accountOn(1, 'payee');
  await openAccounts(source.store, [{ ...anOpening(payer), claim: aClaim(payer) }]);
  await openAccounts(destination.store, [anOpening(payee)]);
  await fundAccounts(source.store, [aDeposit(payer, eur(100_00), 1)]);
  ids = {
    requested: await transferIn('requested', 1),
    held: await transferIn('held', 2),
    credited: await transferIn('credited', 3),
    committed: await transferIn('committed', 4),
    rejected: await transferIn('rejected', 5),
    cancelled: await transferIn('cancelled', 6),
  };
  await project();
  await onBothShards(
    TABLES.map((table) => `CREATE TABLE healthy_${table} AS SELECT * FROM ${table}`),
  );
});

afterAll(async () => {
  await shards?.drop();
});

/** Every test begins with the same healthy system. */
afterEach(async () => {
  await onBothShards(
    TABLES.flatMap((table) => [
      `DELETE FROM ${table}`,
      `INSERT INTO ${table} SELECT * FROM healthy_${table}`,
    ]),
  );
});

async function check(): Promise<readonly CheckResult[]> {
  return runChecks(shards.pools, { projectionPatienceMs: 1 });
}

/** Rows and messages as the release before the short form wrote them. */
async function inPlainForm(shard: Shard, id: TransferId): Promise<void> {
  const plain = (event: Envelope): string => encodeEnvelope({ ...event, schema: 1 });
  const events = (await readTimeline(shard, id)).map(({ step, envelope }) => {
    const text = plain(readEnvelope(envelope));
    return `UPDATE transfer_events SET envelope = '${text}' WHERE transfer_id = ${hex(id)} AND step = ${step}`;
  });
  const messages = (await readOutbox(shard, 0n, 1_000)).map(({ seq, payload }) => {
    const decoded = decodeMessage(payload);
    if (decoded.kind !== 'events') throw new Error(payload);
    const texts = decoded.events.map((event) =>
      event.transferId === id ? plain(event) : encodeEnvelope(event),
    );
    return `UPDATE outbox SET payload = '${encodeMessage(texts)}' WHERE seq = ${seq}`;
  });
  await shard.send([...events, ...messages]);
}

function hex(id: TransferId): string {
  return `x'${id.replaceAll('-', '')}'`;
}

describe('a healthy system', () => {
  it('keeps every promise, in every state that a transfer can be in', async () => {
    const results = await check();
    expect(results.map((result) => result.check)).toEqual(CHECK_NAMES);
    expect(results.flatMap((result) => result.findings)).toEqual([]);
    expect(results.flatMap((result) => result.notes)).toEqual([]);
    expect(results.every((result) => result.ok && result.rowsChecked > 0)).toBe(true);
  });

  it('keeps every promise where some of its events lie in the plain form', async () => {
    for (const id of [ids.requested, ids.credited, ids.committed, ids.rejected, ids.cancelled]) {
      await inPlainForm(source, id);
      await inPlainForm(destination, id);
    }
    const results = await check();
    expect(results.flatMap((result) => result.findings)).toEqual([]);
    const [{ envelope } = { envelope: '' }] = await readTimeline(source, ids.committed);
    expect(envelope).toMatch(/^\{"id":/);
  });

  it('keeps every promise where all that is open is newer than the list', async () => {
    await onBothShards([
      'DELETE FROM open_transfers',
      "UPDATE placement SET listed_below = UNHEX(REPEAT('0', 32))",
    ]);
    const results = await check();
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
  });

  it('keeps its promises while others go on writing', async () => {
    const writers = Array.from({ length: 20 }, (_, at) => transferIn('committed', 100 + at));
    const checks = Promise.all([check(), check()]);
    // Some of these find too little money: that is a rejection like any other.
    await Promise.allSettled(writers);
    for (const results of await checks) {
      const broken = results.filter((result) => !result.ok && result.check !== 'projections');
      expect(broken).toEqual([]);
    }
  });
});

/** With all of its rows, and told to both shards; nobody tells this process. */
async function moveSlotOf(account: string, { leavesCopies = false } = {}): Promise<void> {
  const slot = slotOfAccount(account);
  const [to, from] = shards.urls.map((url) => new URL(url).pathname.slice(1));
  const moved = TABLES.filter((table) => table !== 'placement' && table !== 'outbox');
  for (const table of moved) {
    const where = `WHERE slot = ${slot}`;
    await source.send([`INSERT INTO ${to}.${table} SELECT * FROM ${from}.${table} ${where}`]);
    if (!leavesCopies) await destination.send([`DELETE FROM ${table} ${where}`]);
  }
  const { epoch, ranges } = shards.pools.slotMaps.current();
  const isAfter = ({ fromSlot }: { readonly fromSlot: number }): boolean => fromSlot > slot;
  const map = [
    ...ranges.filter((range) => !isAfter(range)),
    ...[source, destination].map(({ id: shard }, at) => ({ fromSlot: slot + at, shard })),
    ...ranges.filter(isAfter),
  ];
  await onBothShards([
    `UPDATE placement SET epoch = ${epoch + 1n}, slot_map = '${JSON.stringify(map)}'`,
  ]);
}

describe('after a slot was moved', () => {
  it('the checks hold, though this process has not heard of it', async () => {
    await moveSlotOf(payee);
    const results = await check();
    expect(shards.pools.slotMaps.current().epoch).toBe(1n);
    expect(results.flatMap((result) => result.findings)).toEqual([]);
  });

  it('the check of slots alone names what was left behind', async () => {
    await moveSlotOf(payee, { leavesCopies: true });
    const broken = (await check()).filter(({ ok }) => !ok);
    expect(broken.map((result) => result.check)).toEqual(['slots']);
    const findings = broken.flatMap((result) => result.findings);
    const slot = slotOfAccount(payee);
    expect(findings).toContainEqual({
      shard: destination.id,
      key: `account ${payee}`,
      problem: 'lies on another shard than the one that carries its slot',
      detail: { slot, carrier: source.id },
    });
    // An account with its balance; two credits and a void, each with its event, and four legs.
    expect(findings).toHaveLength(12);
  });
});

interface Planted {
  readonly what: string;
  readonly check: string;
  readonly before?: () => Promise<void>;
  readonly sql: () => readonly string[];
  readonly on?: 'source' | 'destination';
  readonly key: () => string;
}

function inNextSlot(table: string, where: string): string[] {
  return [`UPDATE ${table} SET slot = (slot + 1) MOD 4096 WHERE ${where}`];
}

const IN_ANOTHER_SLOT: readonly Planted[] = [
  {
    what: 'an account',
    sql: () => inNextSlot('accounts', `id = '${payer}'`),
    key: () => `account ${payer}`,
  },
  {
    what: 'a transfer',
    sql: () => inNextSlot('transfers', `id = ${hex(ids.committed)}`),
    key: () => `transfer ${ids.committed}`,
  },
  {
    what: 'a transfer with a source of another slot',
    sql: () => [`UPDATE transfers SET source = '${payee}' WHERE id = ${hex(ids.requested)}`],
    key: () => `transfer ${ids.requested}`,
  },
  {
    what: 'an event of the source',
    sql: () => inNextSlot('transfer_events', `transfer_id = ${hex(ids.rejected)} AND step = 20`),
    key: () => `event ${ids.rejected}/20`,
  },
  {
    what: 'an event of a decision',
    on: 'destination' as const,
    sql: () => inNextSlot('transfer_events', `transfer_id = ${hex(ids.credited)}`),
    key: () => `event ${ids.credited}/30`,
  },
  {
    what: 'a decision',
    on: 'destination' as const,
    sql: () => inNextSlot('decisions', `transfer_id = ${hex(ids.cancelled)}`),
    key: () => `decision ${ids.cancelled}`,
  },
  {
    what: 'the leg of an account',
    sql: () => inNextSlot('ledger_entries', `account_id = '${payer}' AND entry_seq = 2`),
    key: () => `transfer ${ids.committed} step 40`,
  },
  {
    what: 'the leg of a system account',
    sql: () =>
      inNextSlot('ledger_entries', `transfer_id = ${hex(ids.committed)} AND entry_seq IS NULL`),
    key: () => `transfer ${ids.committed} step 40`,
  },
  {
    what: "the leg of another slot's system account",
    sql: () => [
      "UPDATE ledger_entries SET account_id = '~transit:none:EUR' " +
        `WHERE transfer_id = ${hex(ids.committed)} AND entry_seq IS NULL`,
    ],
    key: () => `transfer ${ids.committed} step 40`,
  },
  {
    what: 'an idempotency key',
    sql: () => inNextSlot('idempotency_keys', `transfer_id = ${hex(ids.held)}`),
    key: () => 'key ',
  },
  {
    what: 'a projected balance',
    sql: () => inNextSlot('balances', `account_id = '${payer}'`),
    key: () => `balances ${payer}`,
  },
  {
    what: 'a projected status',
    sql: () => inNextSlot('transaction_status', `transfer_id = ${hex(ids.committed)}`),
    key: () => `transaction_status ${ids.committed}`,
  },
].map(({ what, ...planted }) => ({ ...planted, check: 'slots', what: `${what} in another slot` }));

const PLANTED: readonly Planted[] = [
  {
    what: 'an altered balance',
    check: 'balances',
    sql: () => [`UPDATE accounts SET balance = balance + 1 WHERE id = '${payer}'`],
    key: () => `account ${payer}`,
  },
  {
    what: 'an altered leg',
    check: 'balances',
    sql: () => [
      `UPDATE ledger_entries SET amount = amount + 1 WHERE account_id = '${payer}' AND entry_seq = 1`,
    ],
    key: () => `leg ${payer} entry 1`,
  },
  {
    what: 'a deleted leg',
    check: 'conservation',
    sql: () => [`DELETE FROM ledger_entries WHERE account_id = '${payer}' AND entry_seq = 1`],
    key: () => `slot ${slotOfAccount(payer)} EUR`,
  },
  {
    what: 'a deleted leg, in its step',
    check: 'step-legs',
    sql: () => [
      `DELETE FROM ledger_entries WHERE transfer_id = ${hex(ids.committed)} AND account_id = '${payer}'`,
    ],
    key: () => `transfer ${ids.committed} step 40`,
  },
  {
    what: 'a pair of legs taken out together',
    check: 'balances',
    sql: () => [`DELETE FROM ledger_entries WHERE transfer_id = ${hex(ids.committed)}`],
    key: () => `account ${payer}`,
  },
  {
    what: 'an inserted leg',
    check: 'balances',
    sql: () => [
      'INSERT INTO ledger_entries SELECT transfer_id, step, 9, slot, account_id, 99, 5, currency, ' +
        `5, posted_at FROM ledger_entries WHERE account_id = '${payer}' AND entry_seq = 1`,
    ],
    key: () => `leg ${payer} entry 99`,
  },
  {
    what: 'a funding that says another amount than it posted',
    check: 'step-legs',
    sql: () => [`UPDATE transfers SET amount = amount + 1 WHERE kind = 'funding'`],
    key: () => 'transfer ',
  },
  {
    what: 'legs that a step has twice',
    check: 'step-legs',
    sql: () => [
      'INSERT INTO ledger_entries SELECT transfer_id, step, leg + 2, slot, ' +
        "REPLACE(account_id, '~transit', '~external'), NULL, -amount, currency, NULL, posted_at " +
        `FROM ledger_entries WHERE transfer_id = ${hex(ids.committed)} AND account_id LIKE '~%'`,
      'INSERT INTO ledger_entries SELECT transfer_id, step, leg + 4, slot, account_id, NULL, ' +
        'amount, currency, NULL, posted_at FROM ledger_entries ' +
        `WHERE transfer_id = ${hex(ids.committed)} AND account_id LIKE '~transit%'`,
    ],
    key: () => `transfer ${ids.committed}`,
  },
  {
    what: 'legs of a step that nobody took',
    check: 'step-legs',
    sql: () => [
      'INSERT INTO ledger_entries SELECT REVERSE(transfer_id), step, leg, slot, account_id, NULL, ' +
        'amount, currency, NULL, posted_at FROM ledger_entries ' +
        `WHERE transfer_id = ${hex(ids.committed)}`,
    ],
    key: () => 'transfer ',
  },
  {
    what: 'an account in another currency than its legs',
    check: 'balances',
    sql: () => [`UPDATE accounts SET currency = 'USD' WHERE id = '${payer}'`],
    key: () => `account ${payer}`,
  },
  {
    what: 'a requested transfer whose amount is not the one of its event',
    check: 'histories',
    sql: () => [`UPDATE transfers SET amount = amount + 1 WHERE id = ${hex(ids.requested)}`],
    key: () => `event ${ids.requested}/10`,
  },
  {
    what: 'an altered event of a decision',
    check: 'histories',
    on: 'destination',
    sql: () => [
      `UPDATE transfer_events SET envelope = REPLACE(envelope, '"1000"', '"1001"') ` +
        `WHERE transfer_id = ${hex(ids.credited)} AND step = 30`,
    ],
    key: () => `event ${ids.credited}/30`,
  },
  {
    what: 'an altered event in the plain form',
    check: 'histories',
    on: 'destination',
    before: () => inPlainForm(destination, ids.credited),
    sql: () => [
      `UPDATE transfer_events SET envelope = REPLACE(envelope, '"1000"', '"1001"') ` +
        `WHERE transfer_id = ${hex(ids.credited)} AND step = 30`,
    ],
    key: () => `event ${ids.credited}/30`,
  },
  {
    what: 'an event that says one thing in the one form and another in the other',
    check: 'histories',
    on: 'destination',
    sql: () => [
      `UPDATE transfer_events SET envelope = REPLACE(REPLACE(envelope, '"1000"', '"1001"'), ` +
        `'{"schema":2,', '{"schema":2,"data":{"amount":"1000"},') ` +
        `WHERE transfer_id = ${hex(ids.credited)} AND step = 30`,
    ],
    key: () => `event ${ids.credited}/30`,
  },
  {
    what: 'an altered held',
    check: 'held-totals',
    sql: () => [`UPDATE accounts SET held = held - 1 WHERE id = '${payer}'`],
    key: () => `account ${payer}`,
  },
  {
    what: 'an overdrawn account',
    check: 'overdraft',
    sql: () => [`UPDATE accounts SET balance = -1 WHERE id = '${payer}'`],
    key: () => `account ${payer}`,
  },
  {
    what: 'a deleted hold',
    check: 'holds',
    sql: () => [`DELETE FROM holds WHERE transfer_id = ${hex(ids.held)}`],
    key: () => `transfer ${ids.held}`,
  },
  {
    what: 'a hold in another slot',
    check: 'holds',
    sql: () => [`UPDATE holds SET slot = (slot + 1) MOD 4096 WHERE transfer_id = ${hex(ids.held)}`],
    key: () => `transfer ${ids.held}`,
  },
  {
    what: 'an open transfer that is not listed',
    check: 'open-transfers',
    sql: () => [`DELETE FROM open_transfers WHERE transfer_id = ${hex(ids.requested)}`],
    key: () => `transfer ${ids.requested}`,
  },
  {
    what: 'open transfers that are listed and newer than the list',
    check: 'open-transfers',
    sql: () => [`UPDATE placement SET listed_below = UNHEX(REPEAT('0', 32))`],
    key: () => `transfer ${ids.requested}`,
  },
  {
    what: 'an altered state',
    check: 'histories',
    sql: () => [`UPDATE transfers SET state = 'held' WHERE id = ${hex(ids.requested)}`],
    key: () => `transfer ${ids.requested}`,
  },
  {
    what: 'a deleted event',
    check: 'histories',
    sql: () => [
      `DELETE FROM transfer_events WHERE transfer_id = ${hex(ids.committed)} AND step = 20`,
    ],
    key: () => `transfer ${ids.committed}`,
  },
  {
    what: 'a deleted event of a decision',
    check: 'histories',
    on: 'destination',
    sql: () => [
      `DELETE FROM transfer_events WHERE transfer_id = ${hex(ids.committed)} AND step = 30`,
    ],
    key: () => `event ${ids.committed}/30`,
  },
  {
    what: 'a key without its transfer',
    check: 'keys',
    sql: () => [
      `UPDATE idempotency_keys SET transfer_id = REVERSE(transfer_id) WHERE transfer_id = ${hex(ids.held)}`,
    ],
    key: () => 'key ',
  },
  {
    what: 'a key without its account',
    check: 'keys',
    sql: () => [
      "UPDATE idempotency_keys SET answer = REPLACE(answer, 'payer', 'nobody') WHERE transfer_id IS NULL",
    ],
    key: () => `key ${slotOfAccount(payer)}/`,
  },
  {
    what: 'a key that names nothing',
    check: 'keys',
    sql: () => ['UPDATE idempotency_keys SET answer = NULL WHERE transfer_id IS NULL'],
    key: () => `key ${slotOfAccount(payer)}/`,
  },
  {
    what: 'a key that names what cannot be read',
    check: 'keys',
    sql: () => ["UPDATE idempotency_keys SET answer = 'x' WHERE transfer_id IS NULL"],
    key: () => `key ${slotOfAccount(payer)}/`,
  },
  {
    what: 'a transfer without its key',
    check: 'keys',
    sql: () => [`DELETE FROM idempotency_keys WHERE transfer_id = ${hex(ids.held)}`],
    key: () => `transfer ${ids.held}`,
  },
  {
    what: 'a deleted decision',
    check: 'decisions',
    on: 'destination',
    sql: () => [`DELETE FROM decisions WHERE transfer_id = ${hex(ids.committed)}`],
    key: () => `transfer ${ids.committed}`,
  },
  {
    what: 'an altered decision',
    check: 'decisions',
    on: 'destination',
    sql: () => [
      `UPDATE decisions SET outcome = 'credited', reason = NULL WHERE transfer_id = ${hex(ids.cancelled)}`,
    ],
    key: () => `transfer ${ids.cancelled}`,
  },
  {
    what: 'a decision with another amount',
    check: 'credits',
    on: 'destination',
    sql: () => [
      `UPDATE decisions SET amount = amount + 1 WHERE transfer_id = ${hex(ids.credited)}`,
    ],
    key: () => `decision ${ids.credited}`,
  },
  {
    what: 'a transfer that vanished after it was credited',
    check: 'credits',
    sql: () => [`DELETE FROM transfers WHERE id = ${hex(ids.credited)}`],
    key: () => `decision ${ids.credited}`,
  },
  {
    what: 'money that vanished in transit',
    check: 'transit',
    on: 'destination',
    sql: () => [`DELETE FROM ledger_entries WHERE transfer_id = ${hex(ids.committed)}`],
    key: () => 'transit EUR',
  },
  {
    what: 'an altered projected balance',
    check: 'projections',
    sql: () => [`UPDATE balances SET balance = balance + 1 WHERE account_id = '${payer}'`],
    key: () => `balances ${payer}`,
  },
  {
    what: 'a projected balance newer than the truth',
    check: 'projections',
    sql: () => [`UPDATE balances SET version = version + 1 WHERE account_id = '${payer}'`],
    key: () => `balances ${payer}`,
  },
  {
    what: 'a projected balance of nobody',
    check: 'projections',
    sql: () => [`UPDATE balances SET account_id = 'ghost' WHERE account_id = '${payer}'`],
    key: () => 'balances ghost',
  },
  {
    what: 'an altered projected status',
    check: 'projections',
    sql: () => [
      `UPDATE transaction_status SET status = 'committed' WHERE transfer_id = ${hex(ids.rejected)}`,
    ],
    key: () => `transaction_status ${ids.rejected}`,
  },
  {
    what: 'a projected status newer than the truth',
    check: 'projections',
    sql: () => [
      `UPDATE transaction_status SET version = 50 WHERE transfer_id = ${hex(ids.committed)}`,
    ],
    key: () => `transaction_status ${ids.committed.replaceAll('-', '')}`,
  },
  {
    what: 'a projected end of a transfer under way',
    check: 'projections',
    sql: () => [
      'INSERT INTO transaction_status (transfer_id, slot, status, reason, version, updated_at) ' +
        `VALUES (${hex(ids.held)}, 1, 'committed', NULL, 40, NOW(6))`,
    ],
    key: () => `transaction_status ${ids.held}`,
  },
  {
    what: 'a projected end of a transfer under way, said to be of an earlier step',
    check: 'projections',
    sql: () => [
      'INSERT INTO transaction_status (transfer_id, slot, status, reason, version, updated_at) ' +
        `VALUES (${hex(ids.held)}, 1, 'committed', NULL, 10, NOW(6))`,
    ],
    key: () => `transaction_status ${ids.held}`,
  },
  ...IN_ANOTHER_SLOT,
];

describe('the check', () => {
  it.each(PLANTED.map((planted) => [planted.check, planted.what, planted] as const))(
    '%s names %s',
    async (name, _what, { before, sql, on = 'source', key }) => {
      await before?.();
      const shard = on === 'source' ? source : destination;
      const results = await shard.send(sql());
      expect(results[0]?.affectedRows).toBeGreaterThan(0);
      const found = (await check()).find((result) => result.check === name);
      expect(found?.ok).toBe(false);
      const keys = found?.findings.map((finding) => finding.key) ?? [];
      expect(keys).toContainEqual(expect.stringContaining(key()));
    },
  );
});

/** As the release before wrote it, which projected every step. */
describe('a projected status of a transfer under way', () => {
  async function projectionsWith(
    status: string,
    version: number,
  ): Promise<CheckResult | undefined> {
    await source.send([
      'INSERT INTO transaction_status (transfer_id, slot, status, reason, version, updated_at) ' +
        `VALUES (${hex(ids.held)}, 1, '${status}', NULL, ${version}, NOW(6))`,
    ]);
    return (await check()).find((result) => result.check === 'projections');
  }

  it('is right where it says what is so', async () => {
    expect(await projectionsWith('held', 20)).toMatchObject({ ok: true, notes: [] });
  });

  it('is lag where it says what was so', async () => {
    expect(await projectionsWith('requested', 10)).toMatchObject({
      ok: true,
      notes: ['1 rows are behind while work is under way'],
    });
  });

  it('contradicts its transfer where it tells an end', async () => {
    expect(await projectionsWith('cancelled', 10)).toMatchObject({
      ok: false,
      findings: [{ key: `transaction_status ${ids.held}`, problem: 'contradicts its transfer' }],
    });
  });
});

describe('a projection that is behind', () => {
  beforeEach(async () => {
    await source.send([
      `UPDATE balances SET version = version - 1, balance = 1 WHERE account_id = '${payer}'`,
    ]);
  });

  async function projections(): Promise<CheckResult | undefined> {
    return (await check()).find((result) => result.check === 'projections');
  }

  it('is lag while work is under way', async () => {
    expect(await projections()).toMatchObject({
      ok: true,
      notes: ['1 rows are behind while work is under way'],
    });
  });

  it('is a finding at rest', async () => {
    await onBothShards(['DELETE FROM outbox', 'DELETE FROM open_transfers']);
    expect(await projections()).toMatchObject({
      ok: false,
      findings: [{ key: `balances ${payer}`, problem: 'is behind at rest' }],
    });
  });

  it('is none where it catches up in time', async () => {
    await onBothShards(['DELETE FROM outbox', 'DELETE FROM open_transfers']);
    const running = runChecks(shards.pools, {
      only: ['projections'],
      projectionPatienceMs: 60_000,
    });
    // Written outside the snapshot: the check has to look again to see it.
    const until = Date.now() + 10_000;
    let settled = false;
    void running.finally(() => {
      settled = true;
    });
    while (!settled && Date.now() < until) {
      await source.send([
        'UPDATE balances AS b JOIN accounts AS a ON a.id = b.account_id ' +
          'SET b.version = a.version, b.balance = a.balance',
      ]);
    }
    const [result] = await running;
    expect(result).toMatchObject({ ok: true, findings: [] });
  });
});
