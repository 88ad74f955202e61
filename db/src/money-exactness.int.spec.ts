import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { externalLegs, transitLegs } from '@surety/domain';
import type { Leg } from '@surety/domain';
import { NO_CHANGES } from '@surety/saga';
import type { Changes, DecisionRow, TransferRow } from '@surety/saga';
import { aTransferId, anAccount } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import {
  brokenRunningBalances,
  findAccount,
  findHold,
  heldTotals,
  listEntries,
  listHolds,
  listLegs,
  overdrawnAccounts,
  readBalance,
  settlementSums,
  transitSums,
  unbalancedSlots,
  unbalancedSteps,
  upsertProjections,
  wrongBalances,
  wrongHeld,
} from './index.js';
import type { Shard } from './shard-pools.js';

/** The first whole number that a double cannot hold: it would become one less. */
const BEYOND = 9_007_199_254_740_993n;
const TOO_LARGE = 99_999_999_999_999_999_999n;
const AT = '2026-01-31T12:00:00.123456Z';
const SUMS = [BEYOND - 1n, BEYOND, BEYOND + 1n, -BEYOND, 2n ** 62n, -(2n ** 62n)];

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

function transferOf(n: number, fields: Partial<TransferRow> = {}): TransferRow {
  return {
    ...{ id: aTransferId('money-a', n), slot: anAccount('money-a').slot, kind: 'transfer' },
    ...{ parentId: null, tenant: 'default', source: 'money-a', destination: 'money-b' },
    ...{ amountMinor: BEYOND, currency: 'EUR', capture: 'auto', state: 'held', reason: null },
    ...{ requestedAt: AT },
    ...fields,
  };
}

function holdOf(row: TransferRow) {
  const { id: transferId, slot, source: account, amountMinor } = row;
  return { transferId, slot, account, amountMinor, expiresAt: AT };
}

function decisionOf(row: TransferRow): DecisionRow {
  const { id: transferId, slot, source, destination, amountMinor, currency } = row;
  const decision = { outcome: 'credited' } as const;
  return { transferId, slot, decision, source, destination, amountMinor, currency };
}

describe('every sum beyond 2^53, written and read by every statement', () => {
  it.each(SUMS)('%p comes back as it went, from accounts, projections and legs', async (sum) => {
    const id = `sum${sum}`;
    const account = anAccount(id, { balance: sum, held: BEYOND, entrySeq: 1n, version: BEYOND });
    const transferId = aTransferId(id, 1);
    const legs = externalLegs({ transferId, step: 40, after: account, signedMinor: sum });
    await write({ accountsInserted: [{ ...account, metadata: null }], legs });
    await upsertProjections(shard, {
      balances: [
        { ...{ accountId: id, slot: account.slot, currency: 'EUR', updatedAt: AT }, ...account },
      ],
      statuses: [],
    });
    expect(await findAccount(shard, id)).toMatchObject({ balance: sum, held: BEYOND });
    expect(await readBalance(shard, id)).toMatchObject({ balance: sum, version: BEYOND });
    const [entry] = await listEntries(shard, id, undefined, 10);
    expect(entry).toMatchObject({ minor: sum, balanceAfter: sum });
    expect((await listLegs(shard, transferId)).map((leg) => leg.minor)).toEqual([sum, -sum]);
    expect((await wrongBalances(shard)).map((wrong) => wrong.id)).not.toContain(id);
  });
});

describe('sums and checks beyond 2^53', () => {
  const held = transferOf(1);
  const credited = transferOf(2, { state: 'committed' });
  const [source, destination] = ['money-a', 'money-b'];

  function fundings(): Leg[] {
    const first = anAccount(source, { balance: BEYOND, entrySeq: 1n });
    const second = anAccount(source, { balance: BEYOND + 2n, entrySeq: 2n });
    return [
      ...externalLegs({
        ...{ transferId: aTransferId(source, 11), step: 40 },
        ...{ after: first, signedMinor: BEYOND },
      }),
      ...externalLegs({
        ...{ transferId: aTransferId(source, 12), step: 40 },
        ...{ after: second, signedMinor: 2n },
      }),
    ];
  }

  beforeAll(async () => {
    const receiver = anAccount(destination, { balance: BEYOND, entrySeq: 1n, version: 1n });
    const payer = { balance: BEYOND + 2n, held: BEYOND, entrySeq: 2n, version: 3n };
    await write({
      accountsInserted: [anAccount(source, payer), receiver].map((account) => ({
        ...account,
        metadata: null,
      })),
      transfersInserted: [held, credited],
      holdsInserted: [holdOf(held)],
      decisions: [decisionOf(credited)],
      legs: [
        ...fundings(),
        ...transitLegs({
          ...{ transferId: credited.id, step: 30 },
          ...{ after: receiver, signedMinor: BEYOND },
        }),
      ],
    });
  });

  it('add up exactly', async () => {
    expect(await heldTotals(shard)).toEqual([{ currency: 'EUR', sumMinor: BEYOND, holds: 1 }]);
    expect(await transitSums(shard)).toEqual([{ currency: 'EUR', sumMinor: -BEYOND }]);
    expect(await settlementSums(shard)).toEqual([
      { currency: 'EUR', creditedMinor: BEYOND, committedMinor: BEYOND },
    ]);
    expect((await findHold(shard, held.id))?.amountMinor).toBe(BEYOND);
    expect((await listHolds(shard, 10)).map((hold) => hold.amountMinor)).toEqual([BEYOND]);
    const entries = await listEntries(shard, source, undefined, 10);
    expect(entries.map((entry) => entry.balanceAfter)).toEqual([BEYOND + 2n, BEYOND]);
    for (const check of [wrongBalances, brokenRunningBalances, overdrawnAccounts]) {
      expect(JSON.stringify(await check(shard), (_, v: unknown) => String(v))).not.toMatch(source);
    }
    expect(await unbalancedSlots(shard)).toEqual([]);
    expect(await unbalancedSteps(shard)).toEqual([]);
  });

  /** Breaks one cell by one minor unit, looks, and puts it right again. */
  async function broken<T>(
    { cell, by, where }: { cell: string; by: bigint; where: string },
    look: () => Promise<T>,
  ): Promise<T> {
    const [table, column] = cell.split('.') as [string, string];
    const set = (minor: bigint): Promise<unknown> =>
      shard.send([`UPDATE ${table} SET ${column} = ${column} + ${minor} WHERE ${where}`]);
    await set(by);
    try {
      return await look();
    } finally {
      await set(-by);
    }
  }

  it.each([1n, -1n])('show a balance that is off by %p', async (by) => {
    const where = `id = '${source}'`;
    const found = await broken({ cell: 'accounts.balance', by, where }, () => wrongBalances(shard));
    expect(found.find((wrong) => wrong.id === source)).toMatchObject({
      balance: BEYOND + 2n + by,
      legsSum: BEYOND + 2n,
    });
  });

  it.each([1n, -1n])('show a held total that is off by %p', async (by) => {
    const where = `id = '${source}'`;
    const found = await broken({ cell: 'accounts.held', by, where }, () => wrongHeld(shard));
    expect(found.find((wrong) => wrong.id === source)).toMatchObject({
      held: BEYOND + by,
      holdsSum: BEYOND,
    });
  });

  it.each([1n, -1n])('show a leg that is off by %p', async (by) => {
    const where = `account_id LIKE '~transit:%' AND amount < -9000000000000000`;
    const cell = 'ledger_entries.amount';
    const [slots, steps] = await broken({ cell, by, where }, async () => [
      await unbalancedSlots(shard),
      await unbalancedSteps(shard),
    ]);
    expect(slots?.map((row) => row.sumMinor)).toEqual([by]);
    expect(steps?.map((row) => row.sumMinor)).toEqual([by]);
  });

  it.each([1n, -1n])('show a running balance that is off by %p', async (by) => {
    const where = `account_id = '${source}' AND entry_seq = 2`;
    const found = await broken({ cell: 'ledger_entries.balance_after', by, where }, () =>
      brokenRunningBalances(shard),
    );
    expect(found.find((row) => row.account === source)).toMatchObject({
      minor: 2n,
      balanceAfter: BEYOND + 2n + by,
      previousBalanceAfter: BEYOND,
    });
  });

  it('tell an account that is overdrawn by one minor unit from one that is not', async () => {
    const where = `id = '${source}'`;
    const at = async (by: bigint): Promise<string[]> => {
      const rows = await broken({ cell: 'accounts.held', by, where }, () =>
        overdrawnAccounts(shard),
      );
      return rows.map((row) => row.id);
    };
    expect(await at(2n)).not.toContain(source);
    expect(await at(3n)).toContain(source);
  });
});

describe('a sum that no BIGINT can hold', () => {
  const large = transferOf(20, { amountMinor: TOO_LARGE });
  const over = anAccount('clip', { balance: TOO_LARGE, entrySeq: 1n });
  const leg = { transferId: large.id, step: 30 as const, after: over, signedMinor: TOO_LARGE };

  it.each<[string, Partial<Changes>]>([
    ['accounts', { accountsInserted: [{ ...over, metadata: null }] }],
    ['transfers', { transfersInserted: [large] }],
    ['holds', { holdsInserted: [holdOf(large)] }],
    ['decisions', { decisions: [decisionOf(large)] }],
    ['ledger_entries', { legs: transitLegs(leg) }],
  ])('is refused by %s with an error, never clipped', async (table, changes) => {
    const count = async (): Promise<unknown> =>
      (await shard.send([`SELECT COUNT(*) FROM ${table}`]))[0]?.rows;
    const before = await count();
    await expect(write(changes)).rejects.toMatchObject({ kind: 'data' });
    expect(await count()).toEqual(before);
  });

  it('is refused by the projection of balances, new or known', async () => {
    const row = { accountId: 'clip', slot: over.slot, currency: 'EUR', updatedAt: AT, held: 0n };
    const tooLarge = { ...row, balance: TOO_LARGE, version: 9n };
    await expect(
      upsertProjections(shard, { balances: [tooLarge], statuses: [] }),
    ).rejects.toMatchObject({ kind: 'data' });
    await upsertProjections(shard, {
      balances: [{ ...row, balance: 1n, version: 1n }],
      statuses: [],
    });
    await expect(
      upsertProjections(shard, { balances: [tooLarge], statuses: [] }),
    ).rejects.toMatchObject({ kind: 'data' });
    expect((await readBalance(shard, 'clip'))?.balance).toBe(1n);
  });
});
