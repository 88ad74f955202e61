import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { NO_CHANGES, keyOf } from '@surety/saga';
import type { Changes, EventRow, KeyRow, LoadRequest, TransferRow } from '@surety/saga';
import { aKeyHash, aTransferId, anAccount } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import type { Link } from './connection/connection-pool.js';
import { LOCK_TIMEOUT_ATTEMPTS_MAX, TRANSACTION_ATTEMPTS_MAX, openShards } from './index.js';
import type { Shard } from './shard-pools.js';
import { lockAccounts } from './statements/transact/lock-accounts.js';
import { insertAccounts } from './statements/transact/insert-accounts.js';

const NOW = '2026-01-31T12:00:00.000000Z';

let shards: TestShards;
let shard: Shard;
let retries: string[];
let statements: number;
let commits: number;

async function open(options: { waitTimeoutSeconds?: number } = {}): Promise<void> {
  retries = [];
  statements = 0;
  commits = 0;
  shards = await createTestShards({
    ...options,
    metrics: {
      statement: () => {
        statements += 1;
      },
      commit: () => {
        commits += 1;
      },
      retry: (code) => retries.push(code),
    },
  });
  shard = shards.pools.shards[0]!;
  await write({ accountsInserted: ['a', 'b'].map((id) => ({ ...anAccount(id), metadata: null })) });
}

beforeEach(() => open());

afterEach(async () => {
  await shards.drop();
});

function write(changes: Partial<Changes>): Promise<undefined> {
  return shard.store.transact({}, () => ({
    changes: { ...NO_CHANGES, ...changes },
    result: undefined,
  }));
}

/** Adds one to the version of these accounts, as a step would. */
function touch(...ids: string[]): Promise<number> {
  return shard.store.transact({ accounts: ids }, ({ accounts }) => ({
    changes: {
      ...NO_CHANGES,
      accountsUpdated: [...accounts.values()].map((account) => ({
        ...account,
        expectedVersion: account.version,
        version: account.version + 1n,
      })),
    },
    result: accounts.size,
  }));
}

/**
 * InnoDB renews the list of its transactions only where nobody has read it for 100 ms: asked for more
 * often, it shows for ever what it showed first.
 */
const LOOK_EVERY_MS = 150;

/** A condition, asked again until it holds. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(LOOK_EVERY_MS);
}

/** Whether a transaction on this schema waits for a row; others may use the same server. */
async function waitsForLock(): Promise<boolean> {
  const [result] = await shard.send([
    'SELECT COUNT(*) FROM information_schema.innodb_trx AS t JOIN information_schema.processlist ' +
      `AS p ON p.id = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()`,
  ]);
  return Number(result?.rows[0]?.[0]) > 0;
}

function lockedBy(link: Link, ...ids: string[]): Promise<unknown> {
  return link.send(['START TRANSACTION', ...lockAccounts(ids).statements]);
}

async function versionOf(id: string): Promise<bigint> {
  const [result] = await shard.send([`SELECT version FROM accounts WHERE id = '${id}'`]);
  return BigInt(String(result?.rows[0]?.[0]));
}

describe('a deadlock', () => {
  it('is tried again as a whole, and takes effect once', async () => {
    await shard.pool.use(async (link) => {
      // The engine gives up the transaction that changed least: the other one.
      const rows = Array.from({ length: 200 }, (_, n) => ({
        ...anAccount(`weight-${n}`),
        metadata: null,
      }));
      await link.send(['START TRANSACTION', ...insertAccounts(rows, NOW)]);
      await link.send(lockAccounts(['b']).statements);
      const touched = touch('a', 'b');
      await until(waitsForLock);
      await link.send(lockAccounts(['a']).statements);
      await link.send(['COMMIT']);
      expect(await touched).toBe(2);
    });
    expect(retries).toContain('1213');
    expect([await versionOf('a'), await versionOf('b')]).toEqual([1n, 1n]);
  });
});

describe('a lock time-out', () => {
  it('gives up everything that was locked, is tried again as a whole, and takes effect once', async () => {
    await shard.pool.use(async (link) => {
      await lockedBy(link, 'b');
      const touched = touch('a', 'b');
      await until(() => Promise.resolve(retries.length > 0));
      await link.send(['ROLLBACK']);
      expect(await touched).toBe(2);
    });
    expect(retries).toEqual(['1205']);
    expect([await versionOf('a'), await versionOf('b')]).toEqual([1n, 1n]);
  });

  it('ends as a failure of the environment where the rows stay taken', async () => {
    await shard.pool.use(async (link) => {
      await lockedBy(link, 'b');
      const touched = touch('a', 'b');
      const kept = keptAlive(link);
      await expect(touched).rejects.toMatchObject({ kind: 'environment', outcomeUnknown: false });
      await kept.stop();
      await link.send(['ROLLBACK']);
    });
    expect(retries).toHaveLength(LOCK_TIMEOUT_ATTEMPTS_MAX - 1);
    expect(await touch('a', 'b')).toBe(2);
  });

  it('is the end for who has another way, and says that the server refused', async () => {
    await shard.pool.use(async (link) => {
      await lockedBy(link, 'b');
      const touched = shard.store.transact({ accounts: ['a', 'b'], isImpatient: true }, () => ({
        changes: NO_CHANGES,
        result: undefined,
      }));
      const kept = keptAlive(link);
      await expect(touched).rejects.toMatchObject({
        ...{ kind: 'environment', refused: true, outcomeUnknown: false },
      });
      await kept.stop();
      await link.send(['ROLLBACK']);
    });
    expect(retries).toEqual([]);
  });
});

/** A transaction that stays in use keeps its locks, however long it takes. */
function keptAlive(link: Link): { stop(): Promise<void> } {
  let isStopped = false;
  const done = (async () => {
    while (!isStopped) await link.send(['SELECT SLEEP(0.2)']);
  })();
  return {
    stop: async () => {
      isStopped = true;
      await done;
    },
  };
}

describe('a race for one key', () => {
  function aKey(n: number, answer: string): KeyRow {
    return {
      ...{ slot: 1, keyHash: aKeyHash(`race-${n}`), fingerprint: `01${aKeyHash('f')}`, answer },
      ...{ transferId: null, createdAt: NOW, expiresAt: NOW },
    };
  }

  /** What a request does: the row that is there, or its own. */
  function claim(n: number, own: string): Promise<string | null> {
    const row = aKey(n, own);
    return shard.store.transact({ keys: [row] }, ({ keys }) => {
      const known = keys.get(keyOf(row));
      return known
        ? { changes: NO_CHANGES, result: known.answer }
        : { changes: { ...NO_CHANGES, keys: [row] }, result: own };
    });
  }

  it('is won by one, and all others see its row', async () => {
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => claim(round, `claim-${n}`)),
      );
      expect(new Set(answers).size).toBe(1);
    }
    const [rows] = await shard.send(['SELECT COUNT(*) FROM idempotency_keys']);
    expect(rows?.rows).toEqual([['20']]);
  });

  it('that was lost is decided anew from what is there then', async () => {
    await claim(1, 'first');
    let decisions = 0;
    const result = await shard.store.transact({}, () => {
      decisions += 1;
      const keys = decisions === 1 ? [aKey(1, 'second')] : [];
      return { changes: { ...NO_CHANGES, keys }, result: decisions };
    });
    expect(result).toBe(2);
    expect(retries).toEqual(['1062']);
    expect(await claim(1, 'third')).toBe('first');
  });

  /** The same by somebody who presumes that the key is absent: the keys that each attempt saw. */
  async function presume(n: number, load: LoadRequest = {}): Promise<readonly number[]> {
    const row = aKey(n, 'presumed');
    const seen: number[] = [];
    await shard.store.transact({ ...load, keysPresumedAbsent: [row] }, ({ keys }) => {
      seen.push(keys.size);
      const isKnown = keys.has(keyOf(row));
      return { changes: { ...NO_CHANGES, keys: isKnown ? [] : [row] }, result: undefined };
    });
    return seen;
  }

  it('costs no read where the key is presumed absent, and one more attempt where it is not', async () => {
    const before = statements;
    await claim(1, 'looked for');
    const looking = statements - before;
    expect(await presume(2)).toEqual([0]);
    expect(statements - before).toBe(2 * looking - 1);
    expect(retries).toEqual([]);
    expect(await presume(1)).toEqual([0, 1]);
    expect(retries).toEqual(['1062']);
    expect(await claim(1, 'late')).toBe('looked for');
  });

  it('presumes nothing in the second attempt, whatever ended the first', async () => {
    await claim(1, 'first');
    await shard.pool.use(async (link) => {
      await lockedBy(link, 'b');
      const presumed = presume(1, { accounts: ['b'] });
      await until(() => Promise.resolve(retries.length > 0));
      await link.send(['ROLLBACK']);
      expect(await presumed).toEqual([1]);
    });
    expect(retries).toEqual(['1205']);
  });

  it('that can never be won ends as a failure of the data, and nothing is written', async () => {
    const event: EventRow = {
      transferId: aTransferId('x', 1),
      step: 10,
      slot: 1,
      type: 'requested',
      occurredAt: NOW,
      envelope: '{}',
    };
    await write({ events: [event] });
    const twice = write({
      events: [event],
      outbox: [{ topic: 'ended', partition: 0, payload: '' }],
    });
    await expect(twice).rejects.toMatchObject({ kind: 'data', outcomeUnknown: false });
    expect(retries).toHaveLength(TRANSACTION_ATTEMPTS_MAX - 1);
    const [rows] = await shard.send(['SELECT COUNT(*) FROM outbox']);
    expect(rows?.rows).toEqual([['0']]);
  });
});

describe('a guard', () => {
  const id = aTransferId('a', 1);
  const move = { id, slot: 1, requestedAt: NOW, reason: null } as const;
  const mistakes: [string, Partial<Changes>][] = [
    [
      'an account at another version',
      {
        accountsUpdated: [
          { id: 'a', expectedVersion: 0n, balance: 1n, held: 0n, version: 1n, entrySeq: 1n },
          { id: 'b', expectedVersion: 5n, balance: 1n, held: 0n, version: 6n, entrySeq: 1n },
        ],
      },
    ],
    [
      'an account that is not there',
      {
        accountsUpdated: [
          { id: 'c', expectedVersion: 0n, balance: 1n, held: 0n, version: 1n, entrySeq: 1n },
        ],
      },
    ],
    [
      'an account that is not there among others',
      {
        accountsUpdated: ['a', 'b', 'c'].map((account) => ({
          ...{ id: account, expectedVersion: 0n, balance: 1n, held: 0n },
          ...{ version: 1n, entrySeq: 1n },
        })),
      },
    ],
    [
      'a transfer in another state',
      { transfersUpdated: [{ ...move, from: 'held', to: 'committed' }] },
    ],
    [
      'a transfer in another state beside one that is in its own',
      {
        transfersUpdated: [
          { ...move, from: 'requested', to: 'held' },
          { ...move, id: aTransferId('a', 2), from: 'held', to: 'committed' },
        ],
      },
    ],
    [
      'a transfer that is not there beside one that is, in one statement',
      {
        transfersUpdated: [id, aTransferId('a', 2)].map((one) => ({
          ...{ ...move, id: one },
          ...{ from: 'requested', to: 'held' },
        })),
      },
    ],
    [
      'a transfer twice',
      {
        transfersUpdated: [
          { ...move, from: 'requested', to: 'held' },
          { ...move, from: 'requested', to: 'held' },
        ],
      },
    ],
    ['a hold that is not there', { holdsDeleted: [id] }],
    ['holds that are not there', { holdsDeleted: [1, 2, 3].map((n) => aTransferId('a', n)) }],
    [
      'a transfer that is not listed as open',
      {
        transfersUpdated: [
          { ...move, from: 'requested', to: 'rejected', requestedAt: '2020-01-01T00:00:00Z' },
        ],
      },
    ],
  ];

  it.each(mistakes)('stops a transaction that changes %s before its commit', async (_, changes) => {
    const transfer: TransferRow = {
      id,
      slot: 1,
      kind: 'transfer',
      parentId: null,
      tenant: 'default',
      source: 'a',
      destination: 'b',
      amountMinor: 1n,
      currency: 'EUR',
      capture: 'auto',
      reason: null,
      state: 'requested',
      requestedAt: NOW,
    };
    await write({ transfersInserted: [transfer] });
    const before = commits;
    const outbox = [{ topic: 'ended', partition: 0, payload: '[]' }] as const;
    await expect(write({ ...changes, outbox })).rejects.toMatchObject({
      kind: 'data',
      outcomeUnknown: false,
    });
    expect(commits).toBe(before);
    expect(retries).toEqual([]);
    const results = await shard.send([
      'SELECT COUNT(*) FROM outbox',
      `SELECT COUNT(*) FROM accounts WHERE version > 0`,
      `SELECT COUNT(*) FROM transfers WHERE state <> 'requested'`,
      'SELECT COUNT(*) FROM open_transfers',
    ]);
    expect(results.map(({ rows }) => rows[0]?.[0])).toEqual(['0', '0', '0', '1']);
    expect(await touch('a', 'b')).toBe(2);
  });
});

describe('an epoch', () => {
  it('that is not the one a caller routed with changes nothing until the map is read again', async () => {
    await shard.send(['UPDATE placement SET epoch = 7']);
    await expect(touch('a')).rejects.toMatchObject({ kind: 'epoch', outcomeUnknown: false });
    expect(await versionOf('a')).toBe(0n);
    expect(shards.pools.slotMaps.current().epoch).toBe(1n);
    expect((await shards.pools.slotMaps.reload()).epoch).toBe(7n);
    expect(await touch('a')).toBe(1);
    // A map that was seen is never given up for an older one.
    await shard.send(['UPDATE placement SET epoch = 3']);
    expect((await shards.pools.slotMaps.reload()).epoch).toBe(7n);
  });

  it('cannot change while a transaction is in flight', async () => {
    await shard.pool.use(async (link) => {
      await link.send(['START TRANSACTION', 'SELECT epoch FROM placement WHERE id = 1 FOR UPDATE']);
      // Handled from the beginning: it may be refused before the COMMIT is answered.
      const refused = expect(touch('a')).rejects.toMatchObject({ kind: 'epoch' });
      await until(waitsForLock);
      await link.send(['UPDATE placement SET epoch = 8', 'COMMIT']);
      await refused;
    });
  });
});

describe('a paused owner', () => {
  it('loses its locks after the time-out, others go on, and its late commit changes nothing', async () => {
    const hasty = openShards({
      ...{ urls: shards.urls, poolSize: 1, partitions: 1, waitTimeoutSeconds: 1 },
    });
    try {
      await hasty.ready();
      const late = await hasty.shards[0]!.pool.use(async (link) => {
        await lockedBy(link, 'a', 'b');
        await link.send([`UPDATE accounts SET balance = 99, version = 99 WHERE id = 'a'`]);
        // Nothing travels on this connection until somebody else has got the rows.
        expect(await touch('a', 'b')).toBe(2);
        await link.send(['COMMIT']);
      }).catch((error: unknown) => error);
      expect(late).toBeInstanceOf(Error);
      expect([await versionOf('a'), await versionOf('b')]).toEqual([1n, 1n]);
      await hasty.check();
    } finally {
      await hasty.close();
    }
  });
});
