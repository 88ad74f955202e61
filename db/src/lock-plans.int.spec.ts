import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NO_CHANGES } from '@surety/saga';
import type { KeyRow, TransferRow } from '@surety/saga';
import { aKeyHash, aTransferId, anAccount } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import type { Shard } from './shard-pools.js';
import { deleteOutbox } from './statements/relay/delete-outbox.js';
import { readOutbox } from './statements/relay/read-outbox.js';
import { EVERYTHING_IS_LISTED } from './statements/reconciler/move-list-end.js';
import { deleteHolds } from './statements/transact/insert-holds.js';
import { lockAccounts } from './statements/transact/lock-accounts.js';
import { lockDecisions } from './statements/transact/lock-decisions.js';
import { lockKeys } from './statements/transact/lock-keys.js';
import { lockTransfers } from './statements/transact/lock-transfers.js';
import { updateAccounts } from './statements/transact/update-accounts.js';
import { deleteOpenTransfers, updateTransfers } from './statements/transact/update-transfers.js';

/** Tables barely larger than the list, where a scan looks cheap, and tables of some thousand rows. */
describe.each([
  ['tiny tables', 510],
  ['large tables', 4_000],
])('with %s', (_, rowCount) => {
  let shards: TestShards;
  let shard: Shard;
  let isMariaDb: boolean;

  const numbers = Array.from({ length: rowCount }, (_unused, n) => n);
  const accountId = (n: number): string => `acc-${String(n).padStart(5, '0')}`;
  const accounts = numbers.map((n) => ({ ...anAccount(accountId(n)), metadata: null }));
  const transfers = numbers.map((n): TransferRow => aTransfer(n));
  const keys = numbers.map((n): KeyRow => aKey(n));
  const decisions = transfers.map(({ id, source, destination, amountMinor, currency }) => ({
    ...{ transferId: id, slot: 1, source, destination, amountMinor, currency },
    decision: { outcome: 'credited' } as const,
  }));

  beforeAll(async () => {
    shards = await createTestShards();
    shard = shards.pools.shards[0]!;
    const [version] = await shard.send(['SELECT VERSION()']);
    isMariaDb = String(version?.rows[0]?.[0]).includes('MariaDB');
    const holdsInserted = transfers.map(({ id, slot, source }) => ({
      ...{ transferId: id, slot, account: source, amountMinor: 1n },
      expiresAt: '2026-01-01T00:00:00.000000Z',
    }));
    const changes = { accountsInserted: accounts, transfersInserted: transfers, keys, decisions };
    await shard.store.transact({}, () => ({
      changes: { ...NO_CHANGES, ...changes, holdsInserted },
      result: undefined,
    }));
  });

  afterAll(async () => {
    await shards?.drop();
  });

  /** Spread over the whole table, so that a range from the first to the last would lock all of it. */
  function spread<T>(rows: readonly T[], count: number): T[] {
    const stride = Math.floor(rows.length / count);
    return Array.from({ length: count }, (_unused, n) => rows[n * stride]!);
  }

  async function plansOf(
    statement: string,
  ): Promise<{ table: string; type: string; key: string }[]> {
    const explain = isMariaDb ? 'EXPLAIN' : 'EXPLAIN FORMAT=TRADITIONAL';
    const [plan] = await shard.send([`${explain} ${statement}`]);
    // MySQL shows partitions between the table and the type.
    const at = isMariaDb ? 3 : 4;
    return (plan?.rows ?? []).map((row) => ({
      table: String(row[2]),
      type: String(row[at]),
      key: String(row[at + 2]),
    }));
  }

  /** Rows that somebody else could lock at this moment. */
  async function freeRows(table: string): Promise<number> {
    return shard.pool.use(async (link) => {
      const [, free] = await link.send([
        'START TRANSACTION',
        `SELECT slot FROM ${table} FOR UPDATE SKIP LOCKED`,
      ]);
      await link.send(['ROLLBACK']);
      return free!.rows.length;
    });
  }

  function writesOf(count: number): {
    updates: Parameters<typeof updateAccounts>[0];
    moves: Parameters<typeof updateTransfers>[0];
  } {
    const updates = spread(accounts, count).map(({ id }) => ({
      ...{ id, expectedVersion: 0n, balance: 1n, held: 0n, version: 1n, entrySeq: 1n },
    }));
    const moves = spread(transfers, count).map(({ id, slot, requestedAt }) => ({
      ...{ id, slot, requestedAt, reason: null },
      ...{ from: 'requested' as const, to: 'committed' as const },
    }));
    return { updates, moves };
  }

  it.each([1, 2])('a write of %i rows looks each up by its primary key', async (count) => {
    const { updates, moves } = writesOf(count);
    const statements = [
      ...updateAccounts(updates),
      ...updateTransfers(moves),
      ...deleteHolds(moves.map(({ id }) => id)),
      ...deleteOpenTransfers(moves, EVERYTHING_IS_LISTED),
    ];
    for (const statement of statements.filter((sql) => !sql.startsWith('SET'))) {
      expect(await plansOf(statement)).toEqual([
        expect.objectContaining({ type: expect.stringMatching(/const|range/), key: 'PRIMARY' }),
      ]);
    }
    await shard.pool.use(async (link) => {
      await link.write(['START TRANSACTION', ...statements]);
      for (const table of ['accounts', 'transfers', 'holds', 'open_transfers']) {
        expect(await freeRows(table)).toBe(rowCount - count);
      }
      await link.send(['ROLLBACK']);
    });
  });

  describe.each([3, 300, 500])('a lock read of %i values', (count) => {
    it.each([
      ['accounts', () => lockAccounts(spread(accounts, count).map(({ id }) => id))],
      ['transfers', () => lockTransfers(spread(transfers, count).map(({ id }) => id))],
      ['decisions', () => lockDecisions(spread(transfers, count).map(({ id }) => id))],
      ['idempotency_keys', () => lockKeys(spread(keys, count))],
    ] as const)('of %s goes by its primary key and locks only those rows', async (table, read) => {
      const { statements } = read();
      for (const statement of statements) {
        expect(await plansOf(statement)).toEqual([{ table, type: 'range', key: 'PRIMARY' }]);
      }
      await shard.pool.use(async (link) => {
        const results = await link.send(['START TRANSACTION', ...statements]);
        expect(results.flatMap(({ rows }) => rows)).toHaveLength(count);
        expect(await freeRows(table)).toBe(rowCount - count);
        await link.send(['ROLLBACK']);
      });
    });

    it('of rows that are not there locks nothing', async () => {
      const ids = Array.from({ length: count }, (_unused, n) => `acc-00000-${n}`);
      const absent = Array.from({ length: count }, (_unused, n) => aKey(1_000_000 + n));
      await shard.pool.use(async (link) => {
        await link.send([
          'START TRANSACTION',
          ...lockAccounts(ids).statements,
          ...lockKeys(absent).statements,
        ]);
        expect(await freeRows('accounts')).toBe(rowCount);
        expect(await freeRows('idempotency_keys')).toBe(rowCount);
        await link.send(['ROLLBACK']);
      });
    });

    it('is followed by writes that look each row up by its primary key', async () => {
      const { updates, moves } = writesOf(count);
      const [accountsPlan] = (await plansOf(updateAccounts(updates)[0]!)).slice(1);
      const transfersPlan = await plansOf(updateTransfers(moves)[0]!);
      expect(accountsPlan).toEqual({ table: 'a', type: 'eq_ref', key: 'PRIMARY' });
      expect(transfersPlan).toEqual([{ table: 'transfers', type: 'range', key: 'PRIMARY' }]);
      const statements = [
        ...updateAccounts(updates),
        ...updateTransfers(moves),
        ...deleteHolds(moves.map(({ id }) => id)),
        ...deleteOpenTransfers(moves, EVERYTHING_IS_LISTED),
      ];
      for (const statement of statements.filter((sql) => sql.startsWith('DELETE'))) {
        const [, plan] = await plansOf(statement);
        expect(plan).toMatchObject({ type: 'eq_ref', key: 'PRIMARY' });
      }
      await shard.pool.use(async (link) => {
        await link.write(['START TRANSACTION', ...statements]);
        for (const table of ['accounts', 'transfers', 'holds', 'open_transfers']) {
          expect(await freeRows(table)).toBe(rowCount - count);
        }
        expect(await freeRows('decisions')).toBe(rowCount);
        await link.send(['ROLLBACK']);
      });
    });
  });

  it.each([1, 3, 300, 500])(
    'deletes exactly these %i outbox rows, past inserts that are not committed',
    async (count) => {
      const rows = Array.from(
        { length: rowCount },
        (_unused, n) => `('toSource', ${n % 16}, '[]', NOW(6))`,
      );
      const into = 'INSERT INTO outbox (topic, topic_partition, payload, created_at) VALUES';
      await shard.send(['DELETE FROM outbox', `${into} ${rows.join(',')}`]);
      const stored = await readOutbox(shard, 0n, rowCount);
      await shard.pool.use(async (link) => {
        await link.send(['START TRANSACTION', `${into} ${rows[0]}`]);
        const seqs = spread(stored, count).map(({ seq }) => seq);
        expect(await deleteOutbox(shard, seqs)).toBe(count);
        await link.send(['ROLLBACK']);
      });
      expect(await readOutbox(shard, 0n, rowCount)).toHaveLength(rowCount - count);
    },
  );
});

function aKey(n: number): KeyRow {
  return {
    slot: (n * 7) % 4096,
    keyHash: aKeyHash(`key-${n}`),
    fingerprint: `01${aKeyHash(`print-${n}`)}`,
    transferId: null,
    answer: null,
    createdAt: '2026-01-01T00:00:00.000000Z',
    expiresAt: '2026-01-02T00:00:00.000000Z',
  };
}

function aTransfer(n: number): TransferRow {
  return {
    id: aTransferId('payer', n),
    slot: n % 4096,
    kind: 'transfer',
    parentId: null,
    tenant: 'default',
    source: 'payer',
    destination: 'payee',
    amountMinor: 1n,
    currency: 'EUR',
    capture: 'auto',
    state: 'requested',
    reason: null,
    requestedAt: '2026-01-01T00:00:00.000000Z',
  };
}
