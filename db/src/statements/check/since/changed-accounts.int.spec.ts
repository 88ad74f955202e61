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
