import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@surety/contracts';
import { InvariantViolation, externalLegs } from '@surety/domain';
import { NO_CHANGES, StoreError, keyOf } from '@surety/saga';
import type { Changes, HoldRow, KeyRow, TransferRow } from '@surety/saga';
import { aKeyHash, aTransferId, anAccount } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import type { Shard } from './shard-pools.js';

/** One beyond the last whole number that a double can tell from its neighbours. */
const BEYOND_DOUBLE = 9_007_199_254_740_993n;
const LATER = '2026-02-01T00:00:00.654321Z';

let shards: TestShards;
let shard: Shard;

beforeAll(async () => {
  shards = await createTestShards();
  shard = shards.pools.shards[0]!;
});

afterAll(async () => {
  await shards?.drop();
});

function write(changes: Partial<Changes>): Promise<undefined> {
  return shard.store.transact({}, () => ({
    changes: { ...NO_CHANGES, ...changes },
    result: undefined,
  }));
}

function aKey(n: number): KeyRow {
  return {
    slot: n % 4096,
    keyHash: aKeyHash(`key-${n}`),
    fingerprint: `01${aKeyHash(`print-${n}`)}`,
    transferId: null,
    answer: `"Größe" — it's\\ ${n} 😀`,
    createdAt: '2026-01-31T23:59:59.000001Z',
    expiresAt: LATER,
  };
}

function aTransfer(n: number, fields: Partial<TransferRow> = {}): TransferRow {
  const source = fields.source ?? `payer-${n}`;
  return {
    id: aTransferId(source, n),
    slot: anAccount(source).slot,
    kind: 'transfer',
    parentId: null,
    tenant: 'default',
    source,
    destination: `payee-${n}`,
    amountMinor: BEYOND_DOUBLE,
    currency: 'EUR',
    capture: 'auto',
    state: 'requested',
    reason: null,
    requestedAt: '2026-01-31T12:00:00.123456Z',
    ...fields,
  };
}

function aHold(row: TransferRow): HoldRow {
  return {
    transferId: row.id,
    slot: row.slot,
    account: row.source,
    amountMinor: row.amountMinor,
    expiresAt: LATER,
  };
}

async function numberOf(sql: string): Promise<bigint> {
  const [result] = await shard.send([sql]);
  return BigInt(String(result?.rows[0]?.[0]));
}

describe('sums beyond 2^53', () => {
  it('go exactly through accounts, inserted and updated', async () => {
    const account = anAccount('exact', { balance: BEYOND_DOUBLE, held: 3n, version: 7n });
    await write({ accountsInserted: [{ ...account, metadata: null }] });
    const after = await shard.store.transact({ accounts: ['exact'] }, ({ accounts }) => {
      const read = accounts.get('exact')!;
      const update = {
        id: read.id,
        expectedVersion: read.version,
        balance: read.balance + 2n,
        held: read.held + BEYOND_DOUBLE,
        version: read.version + 1n,
        entrySeq: BEYOND_DOUBLE,
      };
      return { changes: { ...NO_CHANGES, accountsUpdated: [update] }, result: read };
    });
    expect(after).toEqual(account);
    const read = await shard.store.transact({ accounts: ['exact'] }, ({ accounts }) => ({
      changes: NO_CHANGES,
      result: accounts.get('exact'),
    }));
    expect(read).toEqual({
      ...account,
      balance: 9_007_199_254_740_995n,
      held: 9_007_199_254_740_996n,
      version: 8n,
      entrySeq: BEYOND_DOUBLE,
    });
  });

  const bounds = [2n ** 62n, -(2n ** 62n), 2n ** 63n - 1n, -(2n ** 63n)];

  it.each([
    ['one by one', [[bounds[0]!], [bounds[1]!], [bounds[2]!], [bounds[3]!]]],
    ['two by two', [bounds.slice(0, 2), bounds.slice(2)]],
    ['together', [bounds]],
  ])('go exactly through the bounds of the domain and of BIGINT, %s', async (how, groups) => {
    for (const sums of groups) await throughTheBounds(how.replaceAll(' ', '-'), sums);
  });

  async function throughTheBounds(prefix: string, sums: readonly bigint[]): Promise<void> {
    const accounts = sums.map((balance, n) => anAccount(`${prefix}-${balance}-${n}`, { balance }));
    await write({ accountsInserted: accounts.map((account) => ({ ...account, metadata: null })) });
    const ids = accounts.map(({ id }) => id);
    const swapped = await shard.store.transact({ accounts: ids }, (loaded) => {
      const update = accounts.map(({ id, version }, n) => ({
        ...{ id, expectedVersion: version, version: version + 1n, entrySeq: 1n, held: 0n },
        balance: sums[sums.length - 1 - n]!,
      }));
      return { changes: { ...NO_CHANGES, accountsUpdated: update }, result: loaded.accounts };
    });
    expect(ids.map((id) => swapped.get(id)?.balance)).toEqual(sums);
    const read = await shard.store.transact({ accounts: ids }, ({ accounts: rows }) => ({
      changes: NO_CHANGES,
      result: rows,
    }));
    expect(ids.map((id) => read.get(id)?.balance)).toEqual(sums.toReversed());
  }

  it('go exactly through transfers, decisions, holds and legs', async () => {
    const transfer = aTransfer(1);
    const decision = {
      ...{ transferId: transfer.id, slot: 9, source: 'a', destination: 'b', currency: 'EUR' },
      decision: { outcome: 'refused', reason: 'balance_limit' } as const,
      amountMinor: BEYOND_DOUBLE,
    };
    const legs = externalLegs({
      ...{ transferId: transfer.id, step: 40 },
      after: anAccount('exact', { balance: BEYOND_DOUBLE + 2n, entrySeq: BEYOND_DOUBLE }),
      signedMinor: BEYOND_DOUBLE,
    });
    await write({
      ...{ transfersInserted: [transfer], decisions: [decision], legs },
      holdsInserted: [aHold(transfer)],
    });
    const read = await shard.store.transact(
      { transfers: [transfer.id], decisions: [transfer.id] },
      (loaded) => ({ changes: NO_CHANGES, result: loaded }),
    );
    expect(read.transfers.get(transfer.id)).toEqual(transfer);
    expect(read.decisions.get(transfer.id)).toEqual(decision);
    expect(await numberOf('SELECT amount FROM holds')).toBe(BEYOND_DOUBLE);
    const [entries] = await shard.send([
      'SELECT amount, balance_after, entry_seq FROM ledger_entries ORDER BY leg',
    ]);
    expect(entries?.rows).toEqual([
      ['9007199254740993', '9007199254740995', '9007199254740993'],
      ['-9007199254740993', null, null],
    ]);
    expect(await numberOf('SELECT SUM(amount) FROM ledger_entries')).toBe(0n);
  });
});

describe('a sum that no BIGINT can hold', () => {
  const TOO_LARGE = 99_999_999_999_999_999_999n;

  it('is refused by every statement that inserts money, never clipped', async () => {
    const transfer = aTransfer(20, { amountMinor: TOO_LARGE });
    const account = { ...anAccount('clipped', { balance: TOO_LARGE }), metadata: null };
    const cases: Partial<Changes>[] = [
      { accountsInserted: [account] },
      { transfersInserted: [transfer] },
      { holdsInserted: [aHold(transfer)] },
    ];
    for (const changes of cases) {
      await expect(write(changes)).rejects.toMatchObject({ kind: 'data' });
    }
    expect(await numberOf(`SELECT COUNT(*) FROM accounts WHERE id = 'clipped'`)).toBe(0n);
  });

  it.each([1, 2, 3])(
    'is refused by the update of %i accounts, never clipped or set to nothing',
    async (count) => {
      const ids = Array.from({ length: count }, (_, n) => `too-full-${count}-${n}`);
      const accounts = ids.map((id) => ({ ...anAccount(id), metadata: null }));
      await write({ accountsInserted: accounts });
      for (const balance of [TOO_LARGE, -TOO_LARGE, 2n ** 63n]) {
        const update = { expectedVersion: 0n, held: 0n, version: 1n, entrySeq: 0n };
        const accountsUpdated = ids.map((id, n) => ({
          ...{ ...update, id },
          balance: n === count - 1 ? balance : 5n,
        }));
        await expect(write({ accountsUpdated })).rejects.toMatchObject({ kind: 'data' });
      }
      const changed = `SELECT COUNT(*) FROM accounts WHERE id LIKE 'too-full-%' AND balance <> 0`;
      expect(await numberOf(changed)).toBe(0n);
    },
  );
});

describe('twins of a collation', () => {
  it('are accounts of their own, and what is no identifier is refused', async () => {
    const twins = ['Key-1', 'key-1', 'KEY-1'];
    const rows = twins.map((id, n) => ({
      ...anAccount(id, { balance: BigInt(n) }),
      metadata: null,
    }));
    await write({ accountsInserted: rows });
    const read = await shard.store.transact({ accounts: twins }, ({ accounts }) => ({
      changes: NO_CHANGES,
      result: accounts,
    }));
    expect(twins.map((id) => read.get(id)?.balance)).toEqual([0n, 1n, 2n]);
    for (const id of ['Kéy-1', 'Key-1 ', 'Key-1  ', "Key-1'", 'Key-1\\', '']) {
      const row = { ...anAccount('x'), id, metadata: null };
      await expect(write({ accountsInserted: [row] })).rejects.toMatchObject({ kind: 'data' });
      await expect(
        shard.store.transact({ accounts: [id] }, () => ({ changes: NO_CHANGES, result: 0 })),
      ).rejects.toMatchObject({ kind: 'data' });
    }
  });

  it('are keys of their own, in and between slots', async () => {
    const hashes = ['aa'.repeat(32), `${'aa'.repeat(31)}20`, `${'aa'.repeat(31)}00`];
    const rows = hashes.flatMap((keyHash) =>
      [1, 2].map((slot) => ({ ...aKey(0), slot, keyHash, answer: `${slot}/${keyHash}` })),
    );
    await write({ keys: rows });
    const read = await shard.store.transact({ keys: rows }, ({ keys }) => ({
      changes: NO_CHANGES,
      result: keys,
    }));
    expect(rows.map((row) => read.get(keyOf(row)))).toEqual(rows);
  });
});

describe('a transaction', () => {
  it('reads nothing where nothing is, and gives the time of the database', async () => {
    const loaded = await shard.store.transact(
      { keys: [aKey(5000)], transfers: [aTransferId('x', 1)], accounts: ['nobody'] },
      (read) => ({ changes: NO_CHANGES, result: read }),
    );
    expect(loaded.now).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(Math.abs(Date.parse(loaded.now) - Date.now())).toBeLessThan(60_000);
    expect([loaded.keys.size, loaded.transfers.size, loaded.accounts.size]).toEqual([0, 0, 0]);
  });

  it('gives back what was written, to the microsecond and the last character', async () => {
    const keys = [aKey(1), aKey(2), { ...aKey(3), transferId: aTransferId('x', 3), answer: null }];
    const envelope = JSON.stringify({ text: `'"\\\n\u0000 Größe 😀 ; COMMIT; --` });
    const id = aTransferId('x', 3);
    const event = { transferId: id, slot: 1, type: 'requested', occurredAt: LATER } as const;
    await write({
      keys,
      events: [{ ...event, step: 10, envelope }],
      outbox: [{ topic: 'toSource', partition: 3, payload: `[${envelope}]` }],
    });
    const read = await shard.store.transact({ keys }, (loaded) => ({
      changes: NO_CHANGES,
      result: loaded.keys,
    }));
    expect(keys.map((key) => read.get(keyOf(key)))).toEqual(keys);
    const [events, outbox] = await shard.send([
      'SELECT envelope, occurred_at FROM transfer_events',
      'SELECT topic, topic_partition, payload FROM outbox',
    ]);
    expect(events?.rows).toEqual([[envelope, '2026-02-01 00:00:00.654321']]);
    expect(outbox?.rows).toEqual([['toSource', 3, `[${envelope}]`]]);
    expect(TOPICS.toSource).toContain('to-source');
  });

  it('carries a transfer from its request to its end, with its hold and its place in the open ones', async () => {
    const rows = [31, 32, 33].map((n) => aTransfer(n));
    await write({ transfersInserted: rows, holdsInserted: rows.map(aHold) });
    expect(await numberOf(openOf(rows))).toBe(3n);
    const moved = rows.map(({ id, slot, requestedAt }) => ({ id, slot, requestedAt }));
    await write({
      transfersUpdated: moved.map((row) => ({
        ...row,
        from: 'requested',
        to: 'held',
        reason: null,
      })),
    });
    expect(await numberOf(openOf(rows))).toBe(3n);
    await write({
      transfersUpdated: [
        { ...moved[0]!, from: 'held', to: 'committed', reason: null },
        { ...moved[1]!, from: 'held', to: 'cancelled', reason: 'hold_expired' },
        { ...moved[2]!, from: 'held', to: 'rejected', reason: 'destination_closed' },
      ],
      holdsDeleted: rows.map(({ id }) => id),
    });
    expect(await numberOf(openOf(rows))).toBe(0n);
    const read = await shard.store.transact({ transfers: rows.map(({ id }) => id) }, (loaded) => ({
      changes: NO_CHANGES,
      result: loaded.transfers,
    }));
    expect(rows.map(({ id }) => [read.get(id)?.state, read.get(id)?.reason])).toEqual([
      ['committed', null],
      ['cancelled', 'hold_expired'],
      ['rejected', 'destination_closed'],
    ]);
  });

  it('takes lists longer than one statement may carry', async () => {
    const ids = Array.from({ length: 1_203 }, (_, n) => `many-${String(n).padStart(5, '0')}`);
    const keys = Array.from({ length: 1_203 }, (_, n) => aKey(10_000 + n));
    const rows = ids.map((id) => ({ ...anAccount(id), metadata: null }));
    const transfers = ids.map((source, n) => aTransfer(10_000 + n, { source }));
    await write({ accountsInserted: rows, keys, transfersInserted: transfers });
    await write({ holdsInserted: transfers.map(aHold) });
    const load = { accounts: ids, keys, transfers: transfers.map(({ id }) => id) };
    const sizes = await shard.store.transact(load, (loaded) => ({
      changes: {
        ...NO_CHANGES,
        accountsUpdated: ids.map((id) => ({
          ...{ id, expectedVersion: 0n, version: 1n, entrySeq: 0n },
          ...{ balance: BEYOND_DOUBLE, held: 0n },
        })),
        transfersUpdated: transfers.map(({ id, slot, requestedAt }) => ({
          ...{ id, slot, requestedAt, from: 'requested', to: 'rejected' },
          reason: 'not_processed',
        })),
        holdsDeleted: transfers.map(({ id }) => id),
      },
      result: [loaded.accounts.size, loaded.keys.size, loaded.transfers.size],
    }));
    expect(sizes).toEqual([1_203, 1_203, 1_203]);
    expect(await numberOf(openOf(transfers.slice(0, 900)))).toBe(0n);
  });

  it('keeps nothing of a decision that fails, and the rows are free again', async () => {
    await write({ accountsInserted: [{ ...anAccount('undecided'), metadata: null }] });
    const failing = shard.store.transact({ accounts: ['undecided'] }, () => {
      throw new InvariantViolation('the ledger does not balance');
    });
    const error = await failing.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ kind: 'data', outcomeUnknown: false });
    expect((error as StoreError).cause).toBeInstanceOf(InvariantViolation);
    await shard.store.transact({ accounts: ['undecided'] }, () => ({
      changes: NO_CHANGES,
      result: undefined,
    }));
  });
});

function openOf(rows: readonly TransferRow[]): string {
  const ids = rows.map(({ id }) => `x'${id.replaceAll('-', '')}'`).join(', ');
  return `SELECT COUNT(*) FROM open_transfers WHERE transfer_id IN (${ids})`;
}
