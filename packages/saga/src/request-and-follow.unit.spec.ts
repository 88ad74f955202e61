import { describe, expect, it } from '@jest/globals';
import { decodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import type { AccountId } from '@surety/domain';
import {
  MemoryShardStore,
  aDeposit,
  aTransferRequest,
  anAccount,
  brokenPromises,
  eur,
} from '@surety/testing';
import fc from 'fast-check';
import { applySteps, fundAccounts, requestAndFollow, requestTransfers } from './index.js';
import type { FollowOptions, TransferRequest } from './index.js';

const START_MS = Date.UTC(2026, 0, 1);
const isHere = (slot: number): boolean => slot < 2048;
const OPTIONS: FollowOptions = { holdTimeoutMs: 300_000, actor: 'saga', continuesOn: isHere };

const accountIds = Array.from({ length: 40 }, (_, n) => `A${n}`);
const [alice, carol, dave] = accountIds.filter((id) => isHere(slotOfAccount(id))) as [
  AccountId,
  AccountId,
  AccountId,
];
const [bob] = accountIds.filter((id) => !isHere(slotOfAccount(id))) as [AccountId];

/** The first shard of two, with 10.00 on each of its accounts. */
async function aShard(): Promise<MemoryShardStore> {
  const store = new MemoryShardStore(0, () => START_MS);
  store.shardOf = (slot) => (isHere(slot) ? 0 : 1);
  const ids = [alice, carol, dave];
  for (const id of ids) store.rows.accounts.set(id, anAccount(id));
  await fundAccounts(
    store,
    ids.map((id, at) => aDeposit(id, eur(1_000), at + 1)),
  );
  store.rows.outbox.splice(0);
  return store;
}

function wish(n: number, source: AccountId, destination: AccountId, minor = 100): TransferRequest {
  return aTransferRequest({ n, source, destination, amount: eur(minor) });
}

function published({ rows }: MemoryShardStore): readonly [topic: string, id: string][] {
  return rows.outbox.flatMap(({ topic, payload }) => {
    const decoded = decodeMessage(payload);
    if (decoded.kind !== 'events') throw new Error(`undecodable: ${payload}`);
    return decoded.events.map(({ id }): [string, string] => [topic, id]);
  });
}

function balanceOf(store: MemoryShardStore, id: AccountId): [bigint, bigint] {
  const { balance, held } = store.rows.accounts.get(id)!;
  return [balance, held];
}

describe('requestAndFollow', () => {
  it('brings a transfer within the shard to its end, and leaves no hold', async () => {
    const store = await aShard();
    const request = wish(1, alice, carol, 250);
    const [result] = await requestAndFollow(store, [request], OPTIONS);
    const { transferId: id } = request;
    expect(result).toMatchObject({ kind: 'accepted', transferId: id });
    expect(typesOf(result)).toEqual(['held', 'credited', 'committed']);
    const { rows } = store;
    expect([rows.transfers.get(id)?.state, rows.holds.size, rows.openTransfers.size]).toEqual([
      ...['committed', 0, 0],
    ]);
    expect(
      [...rows.events.values()].flatMap(({ transferId, step }) => (transferId === id ? step : [])),
    ).toEqual([10, 20, 30, 40]);
    expect([balanceOf(store, alice), balanceOf(store, carol)]).toEqual([
      [750n, 0n],
      [1_250n, 0n],
    ]);
    expect(brokenPromises(rows)).toEqual([]);
  });

  it('tells listeners of what it has followed, and workers of what is theirs', async () => {
    const store = await aShard();
    const [local, remote] = [wish(1, alice, carol), wish(2, alice, bob)];
    await requestAndFollow(store, [local, remote], OPTIONS);
    expect(published(store)).toEqual([
      ...[10, 20, 30, 40].map((step) => ['ended', `${local.transferId}/${step}`]),
      ['ended', `${remote.transferId}/10`],
      ['toDestination', `${remote.transferId}/20`],
    ]);
  });

  it('holds what goes to another shard', async () => {
    const store = await aShard();
    const request = wish(1, alice, bob, 250);
    const [result] = await requestAndFollow(store, [request], OPTIONS);
    expect(typesOf(result)).toEqual(['held']);
    expect(store.rows.transfers.get(request.transferId)?.state).toBe('held');
    expect(store.rows.holds.get(request.transferId)).toMatchObject({ amountMinor: 250n });
    expect([...store.rows.openTransfers]).toEqual([request.transferId]);
    expect(balanceOf(store, alice)).toEqual([1_000n, 250n]);
  });

  it('goes by what earlier members have left of an account', async () => {
    const store = await aShard();
    const requests = [
      ...[wish(1, alice, carol, 800), wish(2, alice, carol, 800), wish(3, carol, dave, 1_800)],
    ];
    const results = await requestAndFollow(store, requests, OPTIONS);
    expect(results.map((result) => typesOf(result).at(-1))).toEqual([
      ...['committed', 'rejected', 'committed'],
    ]);
    expect([alice, carol, dave].map((id) => balanceOf(store, id)[0])).toEqual([200n, 0n, 2_800n]);
    expect(store.rows.transfers.get(requests[1]!.transferId)).toMatchObject({
      state: 'rejected',
      reason: 'insufficient_funds',
    });
  });

  it('goes on past a member whose account is frozen', async () => {
    const store = await aShard();
    const { rows } = store;
    rows.accounts.set(dave, { ...rows.accounts.get(dave)!, status: 'frozen' });
    const requests = [wish(1, alice, carol), wish(2, dave, carol), wish(3, alice, carol)];
    const results = await requestAndFollow(store, requests, OPTIONS);
    expect(results.map((result) => typesOf(result).at(-1))).toEqual([
      ...['committed', 'rejected', 'committed'],
    ]);
  });

  it('takes no step where its map has the account somewhere else', async () => {
    const store = await aShard();
    const request = wish(1, alice, carol);
    const options = { ...OPTIONS, continuesOn: (slot: number) => !isHere(slot) };
    const [result] = await requestAndFollow(store, [request], options);
    expect(result).toMatchObject({ kind: 'accepted', transferId: request.transferId });
    expect(store.rows.transfers.get(request.transferId)?.state).toBe('requested');
    expect(published(store)).toEqual([['toSource', `${request.transferId}/10`]]);
  });

  it('rejects where an account does not exist', async () => {
    const store = await aShard();
    const [result] = await requestAndFollow(store, [wish(1, 'A-none', carol)], {
      ...OPTIONS,
      continuesOn: () => true,
    });
    expect(typesOf(result)).toEqual(['rejected']);
  });

  it('does nothing a second time: neither for its own row nor for a replay', async () => {
    const store = await aShard();
    const first = { ...wish(1, alice, carol), isKeyPresumedAbsent: true };
    await requestAndFollow(store, [first], OPTIONS);
    const before = structuredClone(store.rows);
    const replay = { ...wish(2, alice, carol), key: first.key };
    const results = await requestAndFollow(store, [first, replay], OPTIONS);
    expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'replayed']);
    expect(results.map(typesOf)).toEqual([[], []]);
    expect(store.rows).toEqual(before);
  });

  it('leaves the rows that workers would have left', async () => {
    const someWishes = fc.array(
      fc.tuple(
        fc.constantFrom(alice, carol, dave),
        fc.constantFrom(alice, bob, carol, dave),
        fc.integer({ min: 1, max: 900 }),
      ),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(someWishes, async (drawn) => {
        const requests = drawn
          .filter(([source, destination]) => source !== destination)
          .map(([source, destination, minor], at) => wish(at + 1, source, destination, minor));
        const [together, apart] = [await aShard(), await aShard()];
        await requestAndFollow(together, requests, OPTIONS);
        await requestTransfers(apart, requests);
        await applySteps(apart, requestedOf(apart), OPTIONS);
        const [one, other] = [together, apart].map(({ rows: { outbox: _, ...rows } }) => rows);
        expect(one).toEqual(other);
        expect(brokenPromises(together.rows)).toEqual([]);
      }),
    );
  });
});

function typesOf(result: Awaited<ReturnType<typeof requestAndFollow>>[number] | undefined) {
  return (result?.kind === 'accepted' ? (result.events ?? []) : []).map(({ type }) => type);
}

function requestedOf({ rows }: MemoryShardStore): readonly Envelope[] {
  return rows.outbox.flatMap(({ payload }) => {
    const decoded = decodeMessage(payload);
    return decoded.kind === 'events' ? decoded.events : [];
  });
}
