import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TransferId } from '@surety/domain';
import { NO_CHANGES } from '@surety/saga';
import { aTransferId } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import type { Session } from '../../../connection/session.js';
import type { Shard } from '../../../shard-pools.js';
import { RANGES_MAX } from '../../transact/shape.js';
import { listOlderTransfersOfNewLegs, sumNewLegs } from './changed-accounts.js';
import type { ChangedAccount } from './changed-accounts.js';
import { followNewLegs } from './follow-new-legs.js';

const ACCOUNTS = 2 * RANGES_MAX + 10;
const LEGS = 40;
const VERIFIED = 37;
const NEW = LEGS - VERIFIED;

let shards: TestShards;
let shard: Shard;
let isMariaDb: boolean;

const accounts = Array.from({ length: ACCOUNTS }, (_, n) => ({
  id: `acc-${String(n).padStart(3, '0')}`,
  verifiedEntrySeq: BigInt(VERIFIED),
}));

/** Ids lie across the accounts, not one account's after the other's. */
const idOf = (account: number, seq: number): TransferId =>
  aTransferId(`payer-${account % 7}`, seq * 1_000 + account);

/** Of the legs beyond the verified ones, ascending. */
const newIdsOf = (account: number): readonly TransferId[] =>
  Array.from({ length: NEW }, (_, at) => idOf(account, VERIFIED + 1 + at)).sort();

beforeAll(async () => {
  shards = await createTestShards();
  shard = shards.pools.shards[0]!;
  const [version] = await shard.send(['SELECT VERSION()']);
  isMariaDb = String(version?.rows[0]?.[0]).includes('MariaDB');
  const legs = accounts.flatMap(({ id }, n) =>
    Array.from({ length: LEGS }, (_, at) => ({
      ...{ transferId: idOf(n, at + 1), step: 30 as const, slot: 1, account: id },
      ...{
        minor: 5n,
        currency: 'EUR',
        entrySeq: BigInt(at + 1),
        balanceAfter: 5n * BigInt(at + 1),
      },
    })),
  );
  await shard.store.transact({}, () => ({ changes: { ...NO_CHANGES, legs }, result: undefined }));
  await shard.send(['ANALYZE TABLE ledger_entries']);
});

afterAll(async () => {
  await shards?.drop();
});

/** A session that also asks for the plan of each statement. */
function explaining(plans: { table: string; type: string; key: string }[]): Session {
  const explain = isMariaDb ? 'EXPLAIN' : 'EXPLAIN FORMAT=TRADITIONAL';
  // MySQL shows partitions between the table and the type.
  const at = isMariaDb ? 3 : 4;
  return {
    id: shard.id,
    send: async (statements) => {
      for (const { rows } of await shard.send(statements.map((sql) => `${explain} ${sql}`))) {
        const [table, type, key] = [2, at, at + 2].map((column) => String(rows[0]?.[column]));
        plans.push({ table: table!, type: type!, key: key! });
      }
      return shard.send(statements);
    },
  };
}

const BY_RANGES = { table: 'l', type: 'range', key: 'ledger_entries_by_account' };

it('sums the new legs of many accounts, each statement by ranges of the index', async () => {
  const plans: unknown[] = [];
  const sums = await sumNewLegs(explaining(plans as never), accounts);
  expect(plans).toEqual([BY_RANGES, BY_RANGES, BY_RANGES]);
  expect(sums).toEqual(
    accounts.map(({ id }, n) => ({
      account: id,
      legs: BigInt(NEW),
      distinctEntrySeqs: BigInt(NEW),
      firstEntrySeq: BigInt(VERIFIED + 1),
      lastEntrySeq: BigInt(LEGS),
      sumMinor: 5n * BigInt(NEW),
      oldestTransfer: newIdsOf(n)[0],
      brokenEntrySeq: null,
    })),
  );
});

/** As the legs make them: all 5 minor units each. */
const CHANGED: readonly ChangedAccount[] = accounts.map((account) => ({
  ...account,
  ...{ slot: 1, balance: 5n * BigInt(LEGS), version: 2n, entrySeq: BigInt(LEGS) },
  ...{ verifiedBalance: 5n * BigInt(VERIFIED), verifiedVersion: 1n },
}));

it('follows the new legs of many accounts by ranges of the index, and says whose reach back', async () => {
  const plans: unknown[] = [];
  const oldest = accounts.map((_, n) => newIdsOf(n)[0]!);
  const bound = [...oldest].sort()[7]!;
  const followed = await followNewLegs(explaining(plans as never), CHANGED, bound);
  expect(plans).toEqual([BY_RANGES, BY_RANGES, BY_RANGES]);
  expect(followed.size).toBe(ACCOUNTS);
  CHANGED.forEach(({ id }, n) => {
    const expected = { legs: NEW, reachesBack: oldest[n]! < bound };
    expect(followed.get(id)).toMatchObject(expected);
  });
});

it.each<[string, Partial<ChangedAccount>]>([
  ['that counts another number of entries', { entrySeq: BigInt(LEGS - 1) }],
  ['that counts more entries than there are', { entrySeq: BigInt(LEGS + 1) }],
  ['that has another balance', { balance: 5n * BigInt(LEGS) + 1n }],
  ['that was verified with another balance', { verifiedBalance: 5n * BigInt(VERIFIED) - 5n }],
  ['that is new, with a balance before its first leg', { verifiedEntrySeq: 0n }],
  ['that has nothing new', { verifiedEntrySeq: BigInt(LEGS) }],
])('says nothing about an account %s', async (_, change) => {
  const [first, second] = CHANGED as [ChangedAccount, ChangedAccount];
  const followed = await followNewLegs(shard, [{ ...first, ...change }], newIdsOf(0)[0]!);
  expect([...followed.keys()]).toEqual([]);
  expect((await followNewLegs(shard, [second], newIdsOf(0)[0]!)).size).toBe(1);
});

it('follows balances exactly, also beyond what a floating-point number holds', async () => {
  const [, , third] = CHANGED as [ChangedAccount, ChangedAccount, ChangedAccount];
  const many = 9_007_199_254_740_992n;
  const raise = (by: bigint): string =>
    `UPDATE ledger_entries SET balance_after = balance_after + ${by} WHERE account_id = '${third.id}'`;
  const raised = {
    ...third,
    balance: third.balance + many,
    verifiedBalance: third.verifiedBalance + many,
  };
  const sizeOf = async (account: ChangedAccount): Promise<number> =>
    (await followNewLegs(shard, [account], newIdsOf(2)[0]!)).size;
  await shard.send([raise(many)]);
  const sizes = [await sizeOf(raised), await sizeOf({ ...raised, balance: raised.balance + 1n })];
  await shard.send([raise(-many)]);
  expect(sizes).toEqual([1, 0]);
});

it.each([
  ['balance_after', 'balance_after + 1'],
  ['amount', 'amount + 1'],
  ['entry_seq', 'entry_seq - 1'],
  ['balance_after', 'NULL'],
])('says nothing about an account whose leg has another %s: %s', async (column, value) => {
  const [first] = CHANGED as [ChangedAccount];
  for (const seq of [VERIFIED, VERIFIED + 1, LEGS]) {
    // The amount of the leg that was verified is none of the new ones' business.
    if (seq === VERIFIED && column === 'amount') continue;
    const at = `WHERE account_id = '${first.id}' AND transfer_id = x'${idOf(0, seq).replaceAll('-', '')}'`;
    await shard.send([`CREATE TABLE kept AS SELECT * FROM ledger_entries ${at}`]);
    const [changed] = await shard.send([`UPDATE ledger_entries SET ${column} = ${value} ${at}`]);
    expect(changed?.affectedRows).toBe(1);
    const followed = await followNewLegs(shard, [first], newIdsOf(0)[0]!);
    await shard.send([
      `DELETE FROM ledger_entries ${at}`,
      'INSERT INTO ledger_entries SELECT * FROM kept',
      'DROP TABLE kept',
    ]);
    expect(followed.size).toBe(0);
  }
});

it('pages through the transfers of many accounts in the order of their ids', async () => {
  const expected = accounts.flatMap((_, n) => newIdsOf(n)).sort();
  const before = expected.at(-1)!;
  const plans: unknown[] = [];
  const found: TransferId[] = [];
  for (let after: TransferId | undefined; ; after = found.at(-1)) {
    const range = { after, before, limit: 50 };
    const page = await listOlderTransfersOfNewLegs(explaining(plans as never), accounts, range);
    expect(page.length).toBeLessThanOrEqual(50);
    found.push(...page);
    if (page.length < 50) break;
  }
  expect(found).toEqual(expected.slice(0, -1));
  for (const plan of plans) expect(plan).toEqual(BY_RANGES);
});
