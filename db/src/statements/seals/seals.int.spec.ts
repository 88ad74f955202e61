import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { NO_CHANGES } from '@surety/saga';
import type { EventRow } from '@surety/saga';
import { STEP, transitLegs } from '@surety/domain';
import type { Account, Leg } from '@surety/domain';
import { aTransferId, anAccount } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import {
  insertSeal,
  listLoneLegs,
  listLostSeals,
  listPositionsWithoutAccount,
  listSealParts,
  listSeals,
  listUnchainedParts,
  listUncountedLegs,
  listUnpostedEvents,
  listUnsealedAccounts,
  listWrongPositions,
  readEntries,
  readPostedEntries,
  readSealInstant,
  withSnapshot,
} from '../../index.js';
import type { SealPartRow, SealRow, Session, Shard } from '../../index.js';

const ACCOUNTS = 200;
const ENTRIES_EACH = 50;
const NOW = '2026-01-31T12:00:00.123456Z';
const HASH = 'ab'.repeat(32);
const NO_HASH = '00'.repeat(32);

let shards: TestShards;
let shard: Shard;

const accountId = (n: number): string => `acc-${String(n).padStart(4, '0')}`;
const transferId = (account: number, seq: number): string =>
  aTransferId(accountId(account), account * ENTRIES_EACH + seq);

/** The account after so many entries of one unit each. */
function accountAfter(n: number, entries: number): Account {
  return anAccount(accountId(n), { balance: BigInt(entries), entrySeq: BigInt(entries) });
}

function legsOf(account: number, seq: number): readonly Leg[] {
  const after = accountAfter(account, seq);
  return transitLegs({
    transferId: transferId(account, seq),
    step: STEP.decide,
    after,
    signedMinor: 1n,
  });
}

function eventOf(account: number, seq: number): EventRow {
  return {
    transferId: transferId(account, seq),
    step: STEP.decide,
    slot: 1,
    type: 'credited',
    occurredAt: NOW,
    envelope: '{}',
  };
}

/** Rows that the engine touched for this work: what a plan costs, whatever it is called. */
async function rowsRead<T>(work: (snapshot: Session) => Promise<T>): Promise<[number, T]> {
  return withSnapshot(shard, async (snapshot) => {
    const counts = async (): Promise<number> => {
      const [result] = await snapshot.send(["SHOW SESSION STATUS LIKE 'Handler_read%'"]);
      return (result?.rows ?? []).reduce((sum, row) => sum + Number(row[1]), 0);
    };
    // MySQL counts its reads of the dictionary when a table is first opened, and of the counts.
    await work(snapshot);
    const first = await counts();
    const before = await counts();
    const answer = await work(snapshot);
    return [(await counts()) - before - (before - first), answer];
  });
}

const SEAL: SealRow = {
  seal: 1n,
  shard: 0,
  previousHash: NO_HASH,
  root: HASH,
  parts: 1n,
  entries: 2n,
  sealedAt: NOW,
  hash: HASH,
};

function part(fields: Partial<SealPartRow>): SealPartRow {
  return {
    seal: 1n,
    account: accountId(0),
    slot: 1,
    firstSeq: 1n,
    lastSeq: 2n,
    balance: 2n,
    root: HASH,
    witness: 'cd'.repeat(68),
    previousHash: NO_HASH,
    hash: 'cd'.repeat(32),
    ...fields,
  };
}

beforeAll(async () => {
  shards = await createTestShards();
  shard = shards.pools.shards[0]!;
  const numbers = Array.from({ length: ACCOUNTS }, (_, n) => n);
  const accountsInserted = numbers.map((n) => ({
    ...accountAfter(n, ENTRIES_EACH),
    metadata: null,
  }));
  await shard.store.transact({}, () => ({
    changes: { ...NO_CHANGES, accountsInserted },
    result: undefined,
  }));
  for (let seq = 1; seq <= ENTRIES_EACH; seq += 1) {
    const legs = numbers.flatMap((n) => legsOf(n, seq));
    const events = numbers.map((n) => eventOf(n, seq));
    await shard.store.transact({}, () => ({
      changes: { ...NO_CHANGES, legs, events },
      result: undefined,
    }));
  }
  await shard.send(['ANALYZE TABLE ledger_entries, transfer_events, accounts']);
});

afterAll(async () => {
  await shards?.drop();
});

describe('entries by ranges', () => {
  it.each([1, 100, 150])(
    'of %s accounts cost what they are, not what lies beside',
    async (count) => {
      const ranges = Array.from({ length: count }, (_, n) => ({
        account: accountId(n),
        firstSeq: 20n,
        lastSeq: 22n,
      }));
      const [rows, { entries }] = await rowsRead((snapshot) => readEntries(snapshot, ranges));
      expect(entries).toHaveLength(3 * count);
      expect(entries[0]).toMatchObject({ account: accountId(0), entrySeq: 20n, step: 30, leg: 0 });
      expect(entries[0]?.legs.map(({ minor }) => minor)).toEqual([1n, -1n]);
      expect(rows).toBeLessThan(3 * count * 8 + 50);
    },
  );

  it('that do not exist are left out', async () => {
    const at = async (firstSeq: bigint, lastSeq: bigint): Promise<readonly unknown[]> =>
      (await readEntries(shard, [{ account: accountId(3), firstSeq, lastSeq }])).entries;
    expect(await at(50n, 99n)).toHaveLength(1);
    expect(await at(51n, 99n)).toEqual([]);
    expect(await readEntries(shard, [])).toEqual({ entries: [], crowded: [] });
  });

  describe.each([
    ['readEntries', readEntries],
    ['readPostedEntries', readPostedEntries],
  ])('where somebody has put far more rows: %s', (_, read) => {
    const forged = aTransferId('forged', 1);
    const of = (id: string): string => `x'${id.replaceAll('-', '')}'`;
    const forge = (account: string, seq: string, rows: number): Promise<unknown> =>
      shard.send([
        `INSERT INTO ledger_entries SELECT ${of(forged)}, e.step, ` +
          `ROW_NUMBER() OVER (ORDER BY e.transfer_id, e.leg) - 1, e.slot, '${account}', ${seq}, ` +
          `e.amount, e.currency, e.balance_after, e.posted_at FROM ledger_entries AS e LIMIT ${rows}`,
      ]);
    const range = { account: accountId(9), firstSeq: 5n, lastSeq: 9n };
    const beside = { account: accountId(10), firstSeq: 5n, lastSeq: 9n };

    afterEach(async () => {
      await shard.send([`DELETE FROM ledger_entries WHERE transfer_id = ${of(forged)}`]);
    });

    it('a number with too many entries is named, and the others are read', async () => {
      await forge(accountId(9), '7', 1_100);
      const { entries, crowded } = await read(shard, [range, beside]);
      expect(crowded).toEqual([
        {
          account: accountId(9),
          entrySeq: 7n,
          entries: 1_101n,
          transferId: undefined,
          step: undefined,
          lastLeg: 1_099,
        },
      ]);
      expect(entries.map(({ account, entrySeq }) => `${account} ${entrySeq}`)).toEqual([
        ...[5, 6, 8, 9].map((seq) => `${accountId(9)} ${seq}`),
        ...[5, 6, 7, 8, 9].map((seq) => `${accountId(10)} ${seq}`),
      ]);
    });

    it('a number whose step has too many legs is named with the step', async () => {
      await forge('~transit:0:EUR', 'NULL', 1_200);
      await shard.send([
        'UPDATE ledger_entries SET ' +
          `account_id = '${accountId(9)}', entry_seq = 51 WHERE transfer_id = ${of(forged)} AND leg = 0`,
      ]);
      const last = { account: accountId(9), firstSeq: 50n, lastSeq: 51n };
      const { entries, crowded } = await read(shard, [last, beside]);
      expect(crowded).toEqual([
        {
          account: accountId(9),
          entrySeq: 51n,
          entries: 1n,
          transferId: forged,
          step: 30,
          lastLeg: 1_199,
        },
      ]);
      expect(entries).toHaveLength(6);
    });

    it('numbers with a few entries too many, however many of them, are read as they are', async () => {
      await forge(accountId(9), '7', 3);
      const { entries, crowded } = await read(shard, [range]);
      expect(crowded).toEqual([]);
      expect(entries.filter(({ entrySeq }) => entrySeq === 7n)).toHaveLength(4);
    });
  });
});

describe('entries with the events of their steps', () => {
  it('are found in one statement, with what else lies here', async () => {
    const range = { account: accountId(5), firstSeq: 1n, lastSeq: 3n };
    const [rows, { entries }] = await rowsRead((snapshot) => readPostedEntries(snapshot, [range]));
    expect(entries).toHaveLength(3);
    expect(entries[0]).toMatchObject({ account: accountId(5), entrySeq: 1n, step: 30 });
    expect(entries.map(({ legs }) => legs.map(({ leg }) => leg))).toEqual([
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
    expect(entries[0]?.posting).toEqual({
      type: 'credited',
      envelope: '{}',
      behind: undefined,
    });
    expect(rows).toBeLessThan(60);
    expect(await readPostedEntries(shard, [])).toEqual({ entries: [], crowded: [] });
  });

  it('have every leg of a step in order, however many it has, and none where the event is gone', async () => {
    const id = `x'${transferId(6, 4).replaceAll('-', '')}'`;
    const others = [5, 3].map(
      (leg) =>
        'INSERT INTO ledger_entries SELECT transfer_id, step, ' +
        `${leg}, slot, '~transit:0:EUR', NULL, amount, currency, NULL, posted_at ` +
        `FROM ledger_entries WHERE transfer_id = ${id} AND leg = 1`,
    );
    await shard.send([
      ...others,
      `CREATE TABLE lost_event AS SELECT * FROM transfer_events WHERE transfer_id = ${id}`,
      `DELETE FROM transfer_events WHERE transfer_id = ${id}`,
    ]);
    const range = { account: accountId(6), firstSeq: 3n, lastSeq: 5n };
    const { entries } = await readPostedEntries(shard, [range]);
    expect(entries.map(({ legs }) => legs.map(({ leg }) => leg))).toEqual([
      [0, 1],
      [0, 1, 3, 5],
      [0, 1],
    ]);
    expect(entries.map(({ posting }) => posting?.type)).toEqual([
      'credited',
      undefined,
      'credited',
    ]);
    expect((await readEntries(shard, [range])).entries).toMatchObject(
      entries.map(({ entrySeq, legs }) => ({ entrySeq, legs })),
    );
    await shard.send([
      `DELETE FROM ledger_entries WHERE transfer_id = ${id} AND leg > 1`,
      'INSERT INTO transfer_events SELECT * FROM lost_event',
      'DROP TABLE lost_event',
    ]);
  });

  it('of a step with one leg have that one', async () => {
    const id = `x'${transferId(7, 2).replaceAll('-', '')}'`;
    await shard.send([
      `CREATE TABLE lost_leg AS SELECT * FROM ledger_entries WHERE transfer_id = ${id} AND leg = 1`,
      `DELETE FROM ledger_entries WHERE transfer_id = ${id} AND leg = 1`,
    ]);
    const range = { account: accountId(7), firstSeq: 2n, lastSeq: 2n };
    const { entries } = await readEntries(shard, [range]);
    const [entry] = entries;
    expect(entry?.legs.map(({ leg }) => leg)).toEqual([0]);
    await shard.send(['INSERT INTO ledger_entries SELECT * FROM lost_leg', 'DROP TABLE lost_leg']);
  });
});

describe('accounts that are not sealed', () => {
  it('are found page by page, from accounts and positions alone', async () => {
    const [rows, page] = await rowsRead((snapshot) =>
      listUnsealedAccounts(snapshot, undefined, 500),
    );
    expect(page).toHaveLength(ACCOUNTS);
    expect(page[0]).toMatchObject({ id: accountId(0), entrySeq: 50n, sealed: undefined });
    expect(rows).toBeLessThan(3 * ACCOUNTS);
    const next = await listUnsealedAccounts(shard, accountId(197), 500);
    expect(next.map(({ id }) => id)).toEqual([accountId(198), accountId(199)]);
  });
});

describe('legs that nothing leads to', () => {
  it('are looked for page by page to the end, and there are none in a sound ledger', async () => {
    let pages = 0;
    for (let after: string | undefined, isMore = true; isMore; pages += 1) {
      const page = await listLoneLegs(shard, after, 3_000);
      expect(page.found).toEqual([]);
      isMore = page.next !== undefined;
      after = page.next;
    }
    expect(pages).toBe(7);
    for (let after: string | undefined, isMore = true; isMore;) {
      const page = await listUncountedLegs(shard, after, 30);
      expect(page.found).toEqual([]);
      isMore = page.next !== undefined;
      after = page.next;
    }
    expect(await listUnpostedEvents(shard, undefined, 100_000)).toEqual({
      found: [],
      next: undefined,
    });
  });

  it('cost a few reads for each row of their page', async () => {
    const [lone] = await rowsRead((snapshot) => listLoneLegs(snapshot, undefined, 1_000));
    expect(lone).toBeLessThan(8_000);
    const [uncounted] = await rowsRead((snapshot) => listUncountedLegs(snapshot, undefined, 10));
    expect(uncounted).toBeLessThan(10 * ENTRIES_EACH * 4 + 1_000);
    const [unposted] = await rowsRead((snapshot) => listUnpostedEvents(snapshot, undefined, 500));
    expect(unposted).toBeLessThan(8_000);
  });
});

describe('a seal', () => {
  it('is stored with its parts, moves their positions, and is read as it was', async () => {
    const { epoch } = shards.pools.slotMaps.current();
    expect(await insertSeal(shard, { epoch, seal: SEAL, parts: [part({})] })).toBe(true);
    const instant = await withSnapshot(shard, readSealInstant);
    expect(instant).toMatchObject({ shard: 0, epoch, head: SEAL });
    expect(await listSeals(shard, 0n, 10)).toEqual([SEAL]);
    expect(await listSeals(shard, 1n, 10)).toEqual([]);
    expect(await listSealParts(shard, 1n, 10)).toEqual([part({})]);
    const [first] = await listUnsealedAccounts(shard, undefined, 1);
    expect(first?.sealed).toEqual({
      seal: 1n,
      entrySeq: 2n,
      balance: 2n,
      partHash: 'cd'.repeat(32),
    });
    const second = part({ seal: 2n, firstSeq: 3n, lastSeq: 50n, balance: 50n });
    const chained = { ...second, previousHash: part({}).hash, hash: 'ef'.repeat(32) };
    const seal = { ...SEAL, seal: 2n };
    expect(await insertSeal(shard, { epoch, seal, parts: [chained] })).toBe(true);
    const [next] = await listUnsealedAccounts(shard, undefined, 1);
    expect(next?.id).toBe(accountId(1));
    expect(await listUnchainedParts(shard)).toEqual([]);
    expect(await listWrongPositions(shard)).toEqual([]);
    expect(await listLostSeals(shard, 10)).toEqual([]);
  });

  it('of a number that is taken, or of an old slot map, writes nothing at all', async () => {
    const { epoch } = shards.pools.slotMaps.current();
    const other = part({ account: accountId(7) });
    expect(await insertSeal(shard, { epoch, seal: SEAL, parts: [other] })).toBe(false);
    const stale = { epoch: epoch + 1n, seal: { ...SEAL, seal: 3n }, parts: [other] };
    await expect(insertSeal(shard, stale)).rejects.toMatchObject({ kind: 'epoch' });
    expect(await listSeals(shard, 2n, 10)).toEqual([]);
    expect(await listSealParts(shard, 1n, 10)).toHaveLength(1);
  });

  it('that is gone is known by its parts and positions; parts and positions out of line too', async () => {
    await shard.send(['DELETE FROM ledger_seals WHERE seal = 2']);
    expect(await listLostSeals(shard, 10)).toEqual([2n]);
    await shard.send(['DELETE FROM ledger_seal_parts WHERE seal = 1']);
    expect(await listUnchainedParts(shard)).toEqual([
      { account: accountId(0), seal: 2n, firstSeq: 3n },
    ]);
    await shard.send(['UPDATE ledger_seal_positions SET entry_seq = 49']);
    const wrong = { account: accountId(0), sealedSeq: 50n, sealedBy: 2n };
    expect(await listWrongPositions(shard)).toEqual([{ ...wrong, entrySeq: 49n, seal: 2n }]);
    await shard.send([`UPDATE ledger_seal_positions SET account_id = 'nobody'`]);
    expect(await listPositionsWithoutAccount(shard)).toEqual(['nobody']);
    expect(await listWrongPositions(shard)).toContainEqual({
      ...wrong,
      entrySeq: null,
      seal: null,
    });
  });
});
