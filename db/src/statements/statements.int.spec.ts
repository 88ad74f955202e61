import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeEnvelope, readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import {
  NO_CHANGES,
  applySteps,
  fundAccounts,
  keyOf,
  openAccounts,
  requestTransfers,
  sendAgain,
} from '@surety/saga';
import { aDeposit, aTransferId, aTransferRequest, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import {
  acquireLease,
  advanceOutbox,
  clearProjections,
  deleteOutbox,
  findAccount,
  findHold,
  findTransfer,
  heldTotals,
  insertAuditEntries,
  insertDeadLetter,
  listAccountCurrencies,
  listDeadLetters,
  listDecisions,
  listEntries,
  listKeys,
  listExpiredHolds,
  listHolds,
  listLegs,
  listOpenTransfers,
  listStoredCurrencies,
  listTransfers,
  openTransferMismatches,
  outboxDepth,
  overdrawnAccounts,
  readBalance,
  readDecision,
  readEvents,
  readEventsPage,
  readOutbox,
  readOutboxHead,
  readTimeline,
  readTransactionStatus,
  releaseLease,
  rememberCurrencies,
  renewLease,
  storedCurrencies,
  transitSums,
  unbalancedSlots,
  unbalancedSteps,
  upsertProjections,
  withGlobalSnapshot,
  withSnapshot,
  wrongBalances,
  wrongHeld,
} from '../index.js';
import type { NumberedOutboxRow, Session, Shard, StatusRow, StoredOutboxRow } from '../index.js';

const NOW = '2026-01-31T12:00:00.123456Z';
const STEPS = { holdTimeoutMs: 60_000, actor: 'saga' };

let shards: TestShards;
let shard: Shard;
let other: Shard;

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [shard, other] = shards.pools.shards as [Shard, Shard];
});

afterAll(async () => {
  await shards?.drop();
});

/** Opens two accounts on this shard, one of them with money, and asks for a transfer between them. */
async function aRequestedTransfer(n: number): Promise<Envelope> {
  const [source, destination] = [`payer-${n}`, `payee-${n}`];
  const fields = { tenant: 'default', currency: 'EUR', type: 'customer', owner: null } as const;
  await openAccounts(
    shard.store,
    [source, destination].map((id) => ({ ...fields, id, overdraftLimit: 0n, metadata: '{"a":1}' })),
  );
  await fundAccounts(shard.store, [aDeposit(source, eur(1_000), n)]);
  const request = aTransferRequest({ n, source, destination, amount: eur(300) });
  await requestTransfers(shard.store, [request]);
  const [event] = await readTimeline(shard, request.transferId);
  return readEnvelope(event!.envelope);
}

async function takeStep(event: Envelope): Promise<Envelope> {
  const [result] = await applySteps(shard.store, [event], STEPS);
  if (result?.kind !== 'applied') throw new Error(`the step was ${String(result?.kind)}`);
  return result.events[0]!;
}

describe('a transfer through all its steps', () => {
  it('is found with its events, holds, decision and legs, and leaves nothing open', async () => {
    const requested = await aRequestedTransfer(1);
    const id = requested.transferId;
    const held = await takeStep(requested);
    expect(await findHold(shard, id)).toMatchObject({ account: 'payer-1', amountMinor: 300n });
    expect(await heldTotals(shard)).toEqual([{ currency: 'EUR', sumMinor: 300n, holds: 1 }]);
    expect(await listHolds(shard, 10)).toHaveLength(1);
    expect(await listExpiredHolds(shard, 10)).toEqual([]);
    const credited = await takeStep(held);
    expect(await transitSums(shard)).toEqual([{ currency: 'EUR', sumMinor: -300n }]);
    await takeStep(credited);

    const transfer = await findTransfer(shard, id);
    expect(transfer).toMatchObject({ state: 'committed', amountMinor: 300n, reason: null });
    expect(await listTransfers(shard, [id, aTransferId('nobody', 1)])).toEqual([transfer]);
    const decision = await readDecision(shard, id);
    expect(decision).toMatchObject({ decision: { outcome: 'credited' }, amountMinor: 300n });
    expect(await listDecisions(shard, [aTransferId('nobody', 1), id])).toEqual([decision]);
    expect((await readTimeline(shard, id)).map(({ type }) => type)).toEqual([
      'requested',
      'held',
      'credited',
      'committed',
    ]);
    expect((await listLegs(shard, id)).map(({ step, minor }) => [step, minor])).toEqual([
      [30, 300n],
      [30, -300n],
      [40, -300n],
      [40, 300n],
    ]);
    expect(await findHold(shard, id)).toBeUndefined();
    expect((await listOpenTransfers(shard, 0, undefined, 10)).transfers).toEqual([]);
    expect(await transitSums(shard)).toEqual([{ currency: 'EUR', sumMinor: 0n }]);
  });

  it('shows in the accounts and their entries, newest first', async () => {
    const payer = await findAccount(shard, 'payer-1');
    expect(payer).toMatchObject({ balance: 700n, held: 0n, entrySeq: 2n, metadata: '{"a":1}' });
    const entries = await listEntries(shard, 'payer-1', undefined, 10);
    expect(entries.map((entry) => [entry.entrySeq, entry.minor, entry.balanceAfter])).toEqual([
      [2n, -300n, 700n],
      [1n, 1_000n, 1_000n],
    ]);
    expect(await listEntries(shard, 'payer-1', 2n, 10)).toEqual([entries[1]]);
    expect(await listEntries(shard, 'payer-1', undefined, 1)).toEqual([entries[0]]);
    expect(
      await listEntries(shard, `~transit:${slotOfAccount('payer-1')}:EUR`, undefined, 9),
    ).toEqual([]);
    expect(await findAccount(shard, 'nobody')).toBeUndefined();
  });

  it('is named by its key', async () => {
    const { key, transferId } = aTransferRequest({
      ...{ n: 1, source: 'payer-1', destination: 'payee-1' },
      amount: eur(300),
    });
    const elsewhere = { ...key, slot: (key.slot + 1) % 4096 };
    const keys = await listKeys(shard, [elsewhere, key]);
    expect([...keys]).toEqual([[keyOf(key), expect.objectContaining({ ...key, transferId })]]);
    expect(await listKeys(shard, [])).toEqual(new Map());
  });
});

describe('sweeps', () => {
  it('page through open transfers of an age, with their state', async () => {
    const requested = await Promise.all([2, 3, 4].map((n) => aRequestedTransfer(n)));
    await takeStep(requested[0]!);
    expect((await listOpenTransfers(shard, 3_600_000, undefined, 10)).transfers).toEqual([]);
    const first = await listOpenTransfers(shard, 0, undefined, 2);
    expect(first.transfers).toHaveLength(2);
    const second = await listOpenTransfers(shard, 0, first.next, 2);
    expect(second.next).toBeUndefined();
    const found = [...first.transfers, ...second.transfers];
    expect(new Set(found.map(({ transferId }) => transferId))).toEqual(
      new Set(requested.map(({ transferId }) => transferId)),
    );
    expect(found.map(({ state }) => state).sort()).toEqual(['held', 'requested', 'requested']);
    for (const { ageMs } of found) expect(ageMs).toBeGreaterThan(0);
  });

  it('page through expired holds by expiry', async () => {
    const expiries = ['2020-01-02', '2020-01-01', '2020-01-01'];
    const holdsInserted = expiries.map((day, n) => ({
      ...{ transferId: aTransferId('expired', n), slot: n, account: 'expired', amountMinor: 1n },
      expiresAt: `${day}T00:00:00.000000Z`,
    }));
    await other.store.transact({}, () => ({
      changes: { ...NO_CHANGES, holdsInserted },
      result: undefined,
    }));
    const page = await listExpiredHolds(other, 2);
    expect(page).toEqual([holdsInserted[1], holdsInserted[2]]);
    expect(await listExpiredHolds(other, 2, page[1])).toEqual([holdsInserted[0]]);
    expect(await listHolds(other, 5, page[0])).toHaveLength(2);
    await other.send(['DELETE FROM holds']);
  });

  it('find stored events by their keys, and send them again with the same bytes', async () => {
    const [event] = await readEvents(shard, [
      { transferId: aTransferRequestId(2), step: 10 },
      { transferId: aTransferRequestId(2), step: 40 },
    ]);
    const envelope = readEnvelope(event!.envelope);
    expect(encodeEnvelope(envelope)).toBe(event!.envelope);
    const before = await readOutboxHead(shard, 1_000);
    await sendAgain(shard.store, [{ envelope, encoded: event!.envelope }]);
    const after = await readOutbox(shard, before.at(-1)!.seq, 10);
    expect(after.map(({ topic, payload }) => [topic, payload])).toEqual([
      ['toSource', `[${event!.envelope}]`],
    ]);
  });
});

/** As the relay reads it. */
function withoutTime(row: StoredOutboxRow | undefined): NumberedOutboxRow {
  const { createdAt: _createdAt, ...rest } = row!;
  return rest;
}

function aTransferRequestId(n: number): string {
  return aTransferId(`payer-${n}`, n);
}

describe('the outbox', () => {
  it('is read after a number and by numbers, and loses exactly what is deleted', async () => {
    const rows = await readOutboxHead(shard, 1_000);
    const [first, second, third] = rows;
    expect(await readOutbox(shard, first!.seq, 2)).toEqual([second, third]);
    const gaps = [third!.seq, 0n, first!.seq];
    const page = await advanceOutbox(shard, {
      acknowledged: [],
      afterSeq: first!.seq,
      limit: 2,
      gaps,
    });
    expect(page.rows).toEqual([second, third].map(withoutTime));
    expect(page.found).toEqual([first, third].map(withoutTime));
    expect((await outboxDepth(shard)).rows).toBe(rows.length);
    expect((await outboxDepth(shard)).oldestAgeSeconds).toBeGreaterThan(0);
    expect(await deleteOutbox(shard, [third!.seq, first!.seq, 0n])).toBe(2);
    expect((await readOutboxHead(shard, 1_000)).map(({ seq }) => seq)).toEqual(
      rows.filter((row) => row !== first && row !== third).map(({ seq }) => seq),
    );
    expect(await outboxDepth(other)).toEqual({ rows: 0, oldestAgeSeconds: 0 });
    expect(await deleteOutbox(other, [])).toBe(0);
  });

  it('is advanced in one round trip: what was acknowledged is deleted and not read any more', async () => {
    const payloads = ['[1]', '[2]', '[3]', '[4]'];
    const outbox = payloads.map((payload) => ({ topic: 'ended', partition: 3, payload }) as const);
    await other.store.transact({}, () => ({
      changes: { ...NO_CHANGES, outbox },
      result: undefined,
    }));
    const rows = await readOutbox(other, 0n, 10);
    expect(rows.map(({ payload }) => payload)).toEqual(payloads);
    const [first, second, third, fourth] = rows;
    const packets: number[] = [];
    const counted: Session = {
      id: other.id,
      send: (statements) => {
        packets.push(statements.length);
        return other.send(statements);
      },
    };
    const page = await advanceOutbox(counted, {
      acknowledged: [third!.seq, first!.seq],
      afterSeq: 0n,
      limit: 1,
      gaps: [first!.seq, fourth!.seq, fourth!.seq + 1n],
    });
    expect(packets).toEqual([3]);
    expect(page.rows).toEqual([withoutTime(second)]);
    expect(page.found).toEqual([withoutTime(fourth)]);
    expect(await readOutbox(other, 0n, 10)).toEqual([second, fourth]);
  });

  it('is advanced past more rows than one statement takes', async () => {
    const outbox = Array.from({ length: 501 }, () => {
      return { topic: 'ended', partition: 0, payload: '[]' } as const;
    });
    await other.store.transact({}, () => ({
      changes: { ...NO_CHANGES, outbox },
      result: undefined,
    }));
    const acknowledged = (await readOutbox(other, 0n, 1_000)).map(({ seq }) => seq);
    const advance = { acknowledged, afterSeq: 0n, limit: 10, gaps: acknowledged };
    expect(await advanceOutbox(other, advance)).toEqual({ rows: [], found: [] });
  });
});

describe('projections', () => {
  const balance = { accountId: 'p', slot: 1, currency: 'EUR', updatedAt: NOW };
  const id = aTransferId('p', 1);
  const status = { transferId: id, slot: 1, updatedAt: NOW } as const;

  it('take a balance only where it is newer, beyond 2^53 too', async () => {
    const newer = {
      ...balance,
      balance: 9_007_199_254_740_993n,
      held: 1n,
      version: 2n ** 60n + 1n,
    };
    await upsertProjections(shard, { balances: [newer], statuses: [] });
    await upsertProjections(shard, {
      balances: [{ ...newer, balance: 1n, version: 2n ** 60n }],
      statuses: [],
    });
    await upsertProjections(shard, { balances: [{ ...newer, balance: 2n }], statuses: [] });
    expect(await readBalance(shard, 'p')).toEqual(newer);
    const newest = { ...newer, balance: -5n, held: 0n, version: 2n ** 60n + 2n };
    await upsertProjections(shard, {
      balances: [newest, { ...newest, accountId: 'P' }],
      statuses: [],
    });
    expect(await readBalance(shard, 'p')).toEqual(newest);
    expect(await readBalance(shard, 'P')).toEqual({ ...newest, accountId: 'P' });
  });

  it('take a status only where its step is later', async () => {
    const rows: StatusRow[] = [
      { ...status, status: 'held', reason: null, version: 20 },
      { ...status, status: 'requested', reason: null, version: 10 },
      { ...status, status: 'cancelled', reason: 'hold_expired', version: 40 },
      { ...status, status: 'held', reason: null, version: 20 },
    ];
    for (const row of rows) await upsertProjections(shard, { balances: [], statuses: [row] });
    expect(await readTransactionStatus(shard, id)).toEqual(rows[2]);
  });

  it('are rebuilt from pages of all events, and cleared', async () => {
    const all = await readEventsPage(shard, undefined, 1_000);
    const paged = [];
    for (let page = await readEventsPage(shard, undefined, 3); page.length > 0;) {
      paged.push(...page);
      page = await readEventsPage(shard, page.at(-1), 3);
    }
    expect(paged).toEqual(all);
    await clearProjections(shard);
    expect(await readBalance(shard, 'p')).toBeUndefined();
    expect(await readTransactionStatus(shard, id)).toBeUndefined();
  });
});

describe('a lease', () => {
  it('is taken again at once by its own holder, with a new token that ends the old holding', async () => {
    const mine = { name: 'again', holder: 'relay-1', ttlMs: 60_000 };
    const first = await acquireLease(shard, mine);
    const second = await acquireLease(shard, mine);
    expect(second?.token).toBe((first?.token ?? 0n) + 1n);
    expect(await renewLease(shard, { ...mine, token: first?.token ?? 0n })).toBe(false);
    expect(await renewLease(shard, { ...mine, token: second?.token ?? 0n })).toBe(true);
    expect(await acquireLease(shard, { ...mine, holder: 'relay-2' })).toBeUndefined();
  });

  const name = 'relay:0';

  it('has one holder, whose token rises with every holding', async () => {
    const a = { name, holder: 'a', ttlMs: 60_000 };
    const b = { name, holder: 'b', ttlMs: 60_000 };
    const first = await acquireLease(shard, a);
    expect(first).toEqual({ token: 1n });
    expect(await acquireLease(shard, b)).toBeUndefined();
    expect(await renewLease(shard, { ...a, token: 1n })).toBe(true);
    expect(await renewLease(shard, { ...b, token: 1n })).toBe(false);
    expect(await renewLease(shard, { ...a, token: 2n })).toBe(false);
    await releaseLease(shard, { ...a, token: 1n });
    expect(await renewLease(shard, { ...a, token: 1n })).toBe(false);
    expect(await acquireLease(shard, b)).toEqual({ token: 2n });
    await releaseLease(shard, { ...a, token: 1n });
    expect(await acquireLease(shard, a)).toBeUndefined();
  });

  it('is free once its time is over, by the clock of the database', async () => {
    const short = { name: 'short', holder: 'a', ttlMs: 1 };
    await acquireLease(shard, short);
    const next = { ...short, holder: 'b', ttlMs: 60_000 };
    let taken: { token: bigint } | undefined;
    while (!taken) taken = await acquireLease(shard, next);
    expect(taken).toEqual({ token: 2n });
    expect(await renewLease(shard, { ...short, token: 1n })).toBe(false);
  });

  it('that many want at the same time goes to one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        acquireLease(shard, { name: 'wanted', holder: `h-${n}`, ttlMs: 60_000 }),
      ),
    );
    expect(answers.filter(Boolean)).toEqual([{ token: 1n }]);
  });
});

describe('currencies', () => {
  const GOLD = { code: 'GOLD', exponent: 6 };
  const POINTS = { code: 'POINTS', exponent: 0 };

  it('keep the decimals that they were written down with first, and tell them', async () => {
    expect(await rememberCurrencies(other, [POINTS, GOLD])).toEqual([GOLD, POINTS]);
    expect(await rememberCurrencies(other, [{ ...GOLD, exponent: 2 }])).toEqual([GOLD]);
    expect(await rememberCurrencies(other, [])).toEqual([]);
    expect(await listStoredCurrencies(other)).toEqual([GOLD, POINTS]);
    expect(await storedCurrencies([shard, other])).toEqual([
      { ...GOLD, shard: 1 },
      { ...POINTS, shard: 1 },
    ]);
  });

  it('that many write at once are what one of them wrote', async () => {
    const wishes = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((exponent) => ({ code: 'SILVER', exponent }));
    const stored = await Promise.all(wishes.map((wish) => rememberCurrencies(other, [wish])));
    expect(new Set(stored.flat().map(({ exponent }) => exponent)).size).toBe(1);
  });

  it('of accounts are found without a row of their own', async () => {
    const fields = { tenant: 'default', type: 'customer', owner: null } as const;
    await openAccounts(
      other.store,
      ['GOLD', 'EUR', 'GOLD'].map((currency, n) => {
        return { ...fields, id: `rich-${n}`, currency, overdraftLimit: 0n, metadata: null };
      }),
    );
    expect(await listAccountCurrencies(other)).toEqual(['EUR', 'GOLD']);
  });
});

describe('notes for people', () => {
  it('keep a dead letter whose error is longer than any column', async () => {
    const letter = {
      ...{ consumer: 'workers', topic: 'surety.to-source.g1', partition: 4, offset: 7n },
      ...{ slot: 1, eventId: null, payload: '[]', error: 'é'.repeat(1_000_000) },
    };
    await insertDeadLetter(shard, letter);
    const [row] = await shard.send([
      'SELECT CHAR_LENGTH(error) FROM dead_letters WHERE topic_offset = 7',
    ]);
    expect(String(row?.rows[0]?.[0])).toBe('4000');
  });

  it('keep dead letters as they came', async () => {
    const letter = {
      ...{ consumer: 'workers', topic: 'surety.to-source.g1', partition: 3, offset: 2n ** 60n },
      ...{ slot: null, eventId: null, payload: '{"kaputt": "Größe 😀"', error: 'not JSON' },
    };
    await insertDeadLetter(shard, letter);
    const eventId = `${aTransferId('x', 1)}/30`;
    await insertDeadLetter(shard, { ...letter, slot: 7, eventId, payload: '[another]' });
    const [newest, oldest] = await listDeadLetters(shard, 10);
    expect(oldest).toMatchObject(letter);
    expect(newest).toMatchObject({ slot: 7, eventId: `${aTransferId('x', 1)}/30` });
  });

  it('record repairs with the state before and after', async () => {
    await insertAuditEntries(shard, [
      {
        ...{ actor: 'reconciler', action: 'void', transferId: aTransferId('x', 1), slot: 1 },
        ...{ reason: 'hold_expired', before: { state: 'held' }, after: { state: 'cancelled' } },
      },
    ]);
    const [rows] = await shard.send(['SELECT action, state_before, state_after FROM audit_log']);
    expect(rows?.rows).toEqual([['void', '{"state":"held"}', '{"state":"cancelled"}']]);
  });
});

describe('a snapshot', () => {
  beforeEach(async () => {
    await shard.send(['UPDATE accounts SET owner = NULL']);
    await other.send(['UPDATE accounts SET owner = NULL']);
  });

  it('shows one instant, whatever is written meanwhile', async () => {
    const seen = await withSnapshot(shard, async (snapshot) => {
      await shard.send([`UPDATE accounts SET owner = 'later' WHERE id = 'payer-1'`]);
      return findAccount(snapshot, 'payer-1');
    });
    expect(seen?.owner).toBeNull();
    expect((await findAccount(shard, 'payer-1'))?.owner).toBe('later');
  });

  it('can be of all shards at the same instant, and holds up writers only while it is taken', async () => {
    const seen = await withGlobalSnapshot(shards.pools.shards, async (snapshots) => {
      expect(snapshots.map(({ id }) => id)).toEqual([0, 1]);
      await aRequestedTransfer(50);
      return Promise.all(snapshots.map((snapshot) => findAccount(snapshot, 'payer-50')));
    });
    expect(seen).toEqual([undefined, undefined]);
    expect(await findAccount(shard, 'payer-50')).toMatchObject({ balance: 1_000n });
  });

  it('is of an instant at which no transaction is in flight', async () => {
    const taken = shard.pool.use(async (link) => {
      await link.send(['START TRANSACTION', 'SELECT epoch FROM placement LOCK IN SHARE MODE']);
      await link.send([`UPDATE accounts SET owner = 'in-flight' WHERE id = 'payer-1'`]);
      const snapshot = withGlobalSnapshot(shards.pools.shards, ([first]) =>
        findAccount(first!, 'payer-1'),
      );
      await link.send(['SELECT SLEEP(0.1)', 'COMMIT']);
      return snapshot;
    });
    expect((await taken)?.owner).toBe('in-flight');
  });

  it('finds every promise kept, and names the rows that break one', async () => {
    const kept = await withSnapshot(shard, (snapshot) =>
      Promise.all([unbalancedSlots(snapshot), unbalancedSteps(snapshot), wrongBalances(snapshot)]),
    );
    expect(kept).toEqual([[], [], []]);
    await shard.send([
      `UPDATE accounts SET balance = balance + 1 WHERE id = 'payer-2'`,
      `UPDATE accounts SET held = held + 10000 WHERE id = 'payer-3'`,
      `UPDATE ledger_entries SET amount = amount + 5 WHERE account_id = 'payer-4'`,
      `UPDATE transfers SET state = 'rejected' WHERE source = 'payer-4' AND state = 'requested'`,
    ]);
    const broken = await withSnapshot(shard, async (snapshot) => ({
      slots: await unbalancedSlots(snapshot),
      steps: await unbalancedSteps(snapshot),
      balances: (await wrongBalances(snapshot)).map(({ id }) => id),
      held: (await wrongHeld(snapshot)).map(({ id }) => id),
      overdrawn: (await overdrawnAccounts(snapshot)).map(({ id }) => id),
      open: (await openTransferMismatches(snapshot)).map(({ state }) => state),
    }));
    expect(broken).toMatchObject({
      slots: [{ slot: slotOfAccount('payer-4'), currency: 'EUR', sumMinor: 5n }],
      steps: [{ step: 40, sumMinor: 5n }],
      balances: ['payer-2', 'payer-4'],
      held: ['payer-3'],
      overdrawn: ['payer-3'],
      open: ['rejected'],
    });
  });
});
