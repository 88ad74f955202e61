import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { externalLegs } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { NO_CHANGES, StoreError, keyOf } from '@surety/saga';
import type { Changes, RoutableStore } from '@surety/saga';
import { aTransferId, anAccount } from './builders.js';
import { fences } from './fence-contract.js';
import { presumedKeys } from './presumed-keys-contract.js';
import {
  aDecisionRow,
  aHoldRow,
  aKeyRow,
  aTransferRow,
  aTransferUpdate,
  anEventRow,
  readRows,
  writeRows,
} from './row-builders.js';

/** What lock-reads do not return: read as it lies there. */
export interface StoredRows {
  readonly holds: readonly TransferId[];
  readonly openTransfers: readonly TransferId[];
  /** `transferId/step`. */
  readonly events: readonly string[];
  /** Amounts of all legs. */
  readonly legs: readonly bigint[];
  readonly outbox: readonly string[];
  /** Transfers that lines of audit_log tell of. */
  readonly audited: readonly TransferId[];
}

export interface ShardStoreUnderTest {
  readonly store: RoutableStore;
  /** Of the shard's placement. */
  epoch(): bigint;
  /** The next map, as a move of slots brings it. */
  raiseEpoch(): Promise<void>;
  /** The lease of the shard in the name of a holder, whoever held it. Its token is a new one. */
  takeLease(name: string, holder: string): Promise<bigint>;
  stored(): Promise<StoredRows>;
  drop(): Promise<void>;
}

const RACERS = 8;

/** What every implementation of the port of the steps promises: each runs this suite. */
export function describeShardStore(name: string, make: () => Promise<ShardStoreUnderTest>): void {
  describe(`the store of a shard, ${name}`, () => {
    let shard: ShardStoreUnderTest;

    beforeAll(async () => {
      shard = await make();
    });

    afterAll(async () => {
      await shard?.drop();
    });

    readsAndWrites(() => shard);
    refusals(() => shard);
    races(() => shard);
    presumedKeys(() => shard);
    lists(() => shard);
    fences(() => shard);
    epochs(() => shard);
  });
}

type Given = () => ShardStoreUnderTest;

function readsAndWrites(given: Given): void {
  it('returns exactly the rows that exist among those asked for, and the time of the database', async () => {
    const { store } = given();
    const rows = [aTransferRow(1), aTransferRow(2)];
    const accounts = rows.map(({ source }) => anAccount(source, { balance: 2n ** 60n + 1n }));
    const key = aKeyRow(1);
    const decision = aDecisionRow(rows[0]!);
    await writeRows(store, {
      keys: [key],
      transfersInserted: rows,
      decisions: [decision],
      accountsInserted: accounts.map((account) => ({ ...account, metadata: null })),
    });
    const loaded = await readRows(store, {
      keys: [key, aKeyRow(900)],
      transfers: [rows[1]!.id, aTransferId('nobody', 900), rows[1]!.id],
      decisions: rows.map(({ id }) => id),
      accounts: [rows[0]!.source, 'nobody'],
    });
    expect([...loaded.keys]).toEqual([[keyOf(key), key]]);
    expect([...loaded.transfers]).toEqual([[rows[1]!.id, rows[1]]]);
    expect([...loaded.decisions]).toEqual([[rows[0]!.id, decision]]);
    expect([...loaded.accounts]).toEqual([[rows[0]!.source, accounts[0]]]);
    expect(loaded.now).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it('returns what was not asked for to nobody', async () => {
    const loaded = await readRows(given().store, {});
    const { keys, transfers, decisions, accounts } = loaded;
    expect([keys, transfers, decisions, accounts].map(({ size }) => size)).toEqual([0, 0, 0, 0]);
  });

  it('keeps events, legs and messages of a transaction together', async () => {
    const { store, stored } = given();
    const row = aTransferRow(3);
    const before = await stored();
    const after = { ...anAccount(row.source), balance: 5n, entrySeq: 1n };
    await writeRows(store, {
      events: [anEventRow(row)],
      legs: externalLegs({ transferId: row.id, step: 40, after, signedMinor: 5n }),
      outbox: [{ topic: 'toSource', partition: 3, payload: `of ${row.id}` }],
    });
    const { events, legs, outbox } = await stored();
    expect(events).toContain(`${row.id}/10`);
    expect(legs.length - before.legs.length).toBe(2);
    expect(legs.reduce((sum, amount) => sum + amount, 0n)).toBe(0n);
    expect(outbox).toContain(`of ${row.id}`);
  });
}

function refusals(given: Given): void {
  const taken = aTransferRow(10);
  const other = aTransferRow(11);
  const account = { ...anAccount('taken'), metadata: null };

  it('refuses a row that is there already as a whole: nothing of the transaction stays', async () => {
    const { store, stored } = given();
    const all = {
      keys: [aKeyRow(10)],
      transfersInserted: [taken],
      decisions: [aDecisionRow(taken)],
      accountsInserted: [account],
      holdsInserted: [aHoldRow(taken)],
      events: [anEventRow(taken)],
    } satisfies Partial<Changes>;
    await writeRows(store, all);
    const before = await stored();
    for (const [table, rows] of Object.entries(all)) {
      const inserted = table === 'transfersInserted' ? [other, taken] : [other];
      const both = { [table]: rows, transfersInserted: inserted };
      await expect(writeRows(store, both)).rejects.toMatchObject({ kind: 'data' });
    }
    expect(await stored()).toEqual(before);
    expect((await readRows(store, { transfers: [other.id] })).transfers.size).toBe(0);
  });

  it('refuses two rows of one key within a transaction', async () => {
    const twice = { decisions: [aDecisionRow(other), aDecisionRow(other)] };
    await expect(writeRows(given().store, twice)).rejects.toMatchObject({ kind: 'data' });
    expect((await readRows(given().store, { decisions: [other.id] })).decisions.size).toBe(0);
  });

  it('writes an account only over the version, and the status, that was read', async () => {
    const { store } = given();
    await writeRows(store, { accountsInserted: [{ ...anAccount('guarded'), metadata: null }] });
    const update = (expectedVersion: bigint, balance: bigint): Partial<Changes> => ({
      accountsUpdated: [
        { id: 'guarded', expectedVersion, balance, held: 0n, version: 1n, entrySeq: 0n },
      ],
    });
    await writeRows(store, update(0n, 7n));
    await expect(writeRows(store, update(0n, 8n))).rejects.toMatchObject({ kind: 'data' });
    await expect(writeRows(store, update(2n, 9n))).rejects.toMatchObject({ kind: 'data' });
    const freeze = { accountStatuses: [{ id: 'guarded', from: 'open', to: 'frozen' }] } as const;
    await writeRows(store, freeze);
    await expect(writeRows(store, freeze)).rejects.toMatchObject({ kind: 'data' });
    const { accounts } = await readRows(store, { accounts: ['guarded'] });
    expect(accounts.get('guarded')).toMatchObject({ balance: 7n, version: 1n, status: 'frozen' });
  });

  it('refuses an update of an account or a transfer that is not there, and a deletion of no hold', async () => {
    const { store, stored } = given();
    const before = await stored();
    const nobody = aTransferRow(12);
    const absent: Partial<Changes>[] = [
      {
        accountsUpdated: [
          { id: 'absent', expectedVersion: 0n, balance: 1n, held: 0n, version: 1n, entrySeq: 0n },
        ],
      },
      { transfersUpdated: [aTransferUpdate(nobody, 'requested', 'held')] },
      { holdsDeleted: [nobody.id] },
    ];
    for (const changes of absent) {
      const both = { ...changes, events: [anEventRow(nobody)] };
      await expect(writeRows(store, both)).rejects.toMatchObject({ kind: 'data' });
    }
    expect(await stored()).toEqual(before);
  });

  it('keeps nothing of a decision that fails, and names its cause', async () => {
    const cause = new RangeError('no such thing');
    const failing = given().store.transact({ accounts: ['taken'] }, () => {
      throw cause;
    });
    const error = await failing.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ kind: 'data', outcomeUnknown: false, cause });
    expect((await readRows(given().store, { accounts: ['taken'] })).accounts.size).toBe(1);
  });
}

function races(given: Given): void {
  it('lets one of many that claim a key at the same time win, and shows the others its row', async () => {
    const { store } = given();
    const key = aKeyRow(20);
    const claims = Array.from({ length: RACERS }, (_, n) => aTransferRow(200 + n).id);
    const winners = await Promise.all(
      claims.map((transferId) =>
        store.transact({ keys: [key] }, ({ keys }) => {
          const known = keys.get(keyOf(key));
          if (known) return { changes: NO_CHANGES, result: known.transferId };
          const changes = { ...NO_CHANGES, keys: [{ ...key, transferId }] };
          return { changes, result: transferId };
        }),
      ),
    );
    expect(new Set(winners).size).toBe(1);
    const { keys } = await readRows(store, { keys: [key] });
    expect(keys.get(keyOf(key))?.transferId).toBe(winners[0]);
  });

  it('loses no change of many that change one account at the same time', async () => {
    const { store } = given();
    await writeRows(store, { accountsInserted: [{ ...anAccount('hot'), metadata: null }] });
    await Promise.all(
      Array.from({ length: RACERS }, () =>
        store.transact({ accounts: ['hot'] }, ({ accounts }) => {
          const { id, balance, version } = accounts.get('hot')!;
          const next = { balance: balance + 1n, version: version + 1n, held: 0n, entrySeq: 0n };
          const update = { id, expectedVersion: version, ...next };
          return { changes: { ...NO_CHANGES, accountsUpdated: [update] }, result: undefined };
        }),
      ),
    );
    const hot = (await readRows(store, { accounts: ['hot'] })).accounts.get('hot');
    expect(hot).toMatchObject({ balance: BigInt(RACERS), version: BigInt(RACERS) });
  });
}

function lists(given: Given): void {
  it('lists a transfer as open from its request to its end, and its hold while it is held', async () => {
    const { store, stored } = given();
    const row = aTransferRow(30);
    const isListed = async (): Promise<readonly boolean[]> => {
      const { openTransfers, holds } = await stored();
      return [openTransfers.includes(row.id), holds.includes(row.id)];
    };
    await writeRows(store, { transfersInserted: [row] });
    expect(await isListed()).toEqual([true, false]);
    const held = aTransferUpdate(row, 'requested', 'held');
    await writeRows(store, { transfersUpdated: [held], holdsInserted: [aHoldRow(row)] });
    expect(await isListed()).toEqual([true, true]);
    await expect(writeRows(store, { transfersUpdated: [held] })).rejects.toMatchObject({
      kind: 'data',
    });
    const ended = aTransferUpdate(row, 'held', 'committed');
    await writeRows(store, { transfersUpdated: [ended], holdsDeleted: [row.id] });
    expect(await isListed()).toEqual([false, false]);
    const again = { transfersUpdated: [aTransferUpdate(row, 'held', 'cancelled')] };
    await expect(writeRows(store, again)).rejects.toMatchObject({ kind: 'data' });
    const { transfers } = await readRows(store, { transfers: [row.id] });
    expect(transfers.get(row.id)).toEqual({ ...row, state: 'committed' });
  });

  it('never lists a transfer as open that is stored with its end', async () => {
    const { store, stored } = given();
    const row = { ...aTransferRow(31), state: 'committed' } as const;
    await writeRows(store, { transfersInserted: [row] });
    expect((await stored()).openTransfers).not.toContain(row.id);
  });
}

function epochs(given: Given): void {
  it('takes work that was routed with its own map only: neither an older nor a newer one', async () => {
    const { store, raiseEpoch, epoch, stored } = given();
    const routedAt = epoch();
    const early = aTransferRow(40);
    await writeRows(store.at(routedAt), { transfersInserted: [early] });
    const newer = store.at(routedAt + 1n);
    const late = aTransferRow(41);
    await expect(writeRows(newer, { transfersInserted: [late] })).rejects.toMatchObject({
      kind: 'epoch',
    });
    await raiseEpoch();
    expect(epoch()).toBe(routedAt + 1n);
    const before = await stored();
    await expect(readRows(store.at(routedAt), {})).rejects.toMatchObject({ kind: 'epoch' });
    await expect(
      writeRows(store.at(routedAt), { transfersInserted: [late] }),
    ).rejects.toMatchObject({
      kind: 'epoch',
      outcomeUnknown: false,
    });
    expect(await stored()).toEqual(before);
    await writeRows(newer, { transfersInserted: [late] });
    expect((await readRows(newer, { transfers: [early.id, late.id] })).transfers.size).toBe(2);
  });
}
