import { expect, it } from '@jest/globals';
import { keyOf, requestAndFollow, requestTransfers } from '@surety/saga';
import type { RequestResult, ShardStore, TransferRequest } from '@surety/saga';
import { aTransferRequest, eur } from './builders.js';
import { aKeyRow, readRows, writeRows } from './row-builders.js';
import type { ShardStoreUnderTest } from './shard-store-contract.js';

const RACERS = 8;
const LONG_AGO = '2020-01-31T12:00:00.123456Z';

/** A request of its own; `key` names the one it comes with. */
function aRequest(n: number, fields: { key?: string; minor?: number } = {}): TransferRequest {
  const { key = `presumed-${n}`, minor = 100 } = fields;
  const amount = eur(minor);
  return aTransferRequest({ n, source: 'presuming', destination: 'payee', amount, key });
}

function presuming(request: TransferRequest): TransferRequest {
  return { ...request, isKeyPresumedAbsent: true };
}

/** What keys that are presumed absent promise, whether they are or not. */
export function presumedKeys(given: () => ShardStoreUnderTest): void {
  /** Results, and how many keys each attempt was shown. */
  const store = async (
    ...requests: TransferRequest[]
  ): Promise<{ results: readonly RequestResult[]; kinds: string[]; seen: number[] }> => {
    const seen: number[] = [];
    const watched: ShardStore = {
      shard: given().store.shard,
      transact: (load, decide) =>
        given().store.transact(load, (loaded) => {
          seen.push(loaded.keys.size);
          return decide(loaded);
        }),
    };
    const results = await requestTransfers(watched, requests);
    return { results, kinds: results.map(({ kind }) => kind), seen };
  };
  /** Which of the requests have a transfer: each with its event and its place among the open ones. */
  const stored = async (...requests: TransferRequest[]): Promise<readonly boolean[]> => {
    const { transfers } = await readRows(given().store, {
      transfers: requests.map(({ transferId }) => transferId),
    });
    const { events, openTransfers } = await given().stored();
    return requests.map(({ transferId: id }) => {
      const marks = [transfers.has(id), events.includes(`${id}/10`), openTransfers.includes(id)];
      expect(new Set(marks).size).toBe(1);
      return transfers.has(id);
    });
  };

  it('stores what comes with keys that are presumed absent and are, in one attempt', async () => {
    const requests = [aRequest(1), aRequest(2)];
    expect(await store(...requests.map(presuming))).toMatchObject({
      kinds: ['accepted', 'accepted'],
      seen: [0],
    });
    expect(await stored(...requests)).toEqual([true, true]);
    const { keys } = await readRows(given().store, { keys: requests.map(({ key }) => key) });
    expect(requests.map(({ key }) => keys.get(keyOf(key))?.transferId)).toEqual(
      requests.map(({ transferId }) => transferId),
    );
  });

  it('takes the steps of what is new, and none for a key that was wrongly presumed absent', async () => {
    const [first, other] = [aRequest(60), aRequest(61)];
    const again = aRequest(62, { key: 'presumed-60' });
    await store(first);
    const options = { holdTimeoutMs: 60_000, actor: 'saga', continuesOn: () => true };
    const requests = [again, other].map(presuming);
    const results = await requestAndFollow(given().store, requests, options);
    expect(results).toMatchObject([
      { kind: 'replayed', transferId: first.transferId },
      // There is no such account.
      { kind: 'accepted', events: [{ type: 'rejected' }] },
    ]);
    const ids = [first, again, other].map(({ transferId }) => transferId);
    const { transfers } = await readRows(given().store, { transfers: ids });
    expect(ids.map((id) => transfers.get(id)?.state)).toEqual(['requested', undefined, 'rejected']);
  });

  it('does not look for a key that is presumed absent until its row is in the way', async () => {
    const first = aRequest(3);
    const again = aRequest(4, { key: 'presumed-3' });
    const { results } = await store(first);
    const second = await store(presuming(again));
    expect(second.seen).toEqual([0, 1]);
    expect(second.results).toEqual([{ ...results[0], kind: 'replayed' }]);
    expect(await stored(first, again)).toEqual([true, false]);
  });

  it('refuses a key that was presumed absent and was used for something else', async () => {
    const first = aRequest(5);
    const other = aRequest(6, { key: 'presumed-5', minor: 101 });
    await store(presuming(first));
    expect(await store(presuming(other))).toMatchObject({ kinds: ['key_reused'], seen: [0, 1] });
    expect(await stored(first, other)).toEqual([true, false]);
  });

  it('recognises its own row behind a key that it presumes absent once more', async () => {
    const request = presuming(aRequest(7));
    const { results } = await store(request);
    expect((await store(request)).results).toEqual(results);
    expect(results).toMatchObject([{ kind: 'accepted', transferId: request.transferId }]);
  });

  it('lets one of many win that presume one key absent at the same time', async () => {
    const requests = Array.from({ length: RACERS }, (_, n) => aRequest(10 + n, { key: 'raced' }));
    const outcomes = await Promise.all(requests.map((request) => store(presuming(request))));
    const kinds = outcomes.flatMap((one) => one.kinds);
    expect([...kinds].sort()).toEqual(['accepted', ...Array<string>(RACERS - 1).fill('replayed')]);
    const winner = requests[kinds.indexOf('accepted')]!;
    const ids = new Set(outcomes.flatMap(({ results }) => results.map(idOf)));
    expect([...ids]).toEqual([winner.transferId]);
    expect(await stored(...requests)).toEqual(requests.map((request) => request === winner));
  });

  it('accepts the others of a group of which one presumes wrongly', async () => {
    const used = aRequest(30);
    await store(used);
    const group = [aRequest(31), aRequest(32, { key: 'presumed-30' }), aRequest(33)];
    const { kinds, seen, results } = await store(...group.map(presuming));
    expect(kinds).toEqual(['accepted', 'replayed', 'accepted']);
    expect(seen).toEqual([0, 1]);
    expect(results.map(idOf)).toEqual([
      group[0]!.transferId,
      used.transferId,
      group[2]!.transferId,
    ]);
    expect(await stored(...group)).toEqual([true, false, true]);
  });

  it('looks at once for what only some of a group presume absent', async () => {
    const used = aRequest(40);
    await store(used);
    const group = [
      presuming(aRequest(41)),
      aRequest(42, { key: 'presumed-40' }),
      presuming(aRequest(43, { key: 'presumed-40' })),
      presuming(aRequest(44, { key: 'twice' })),
      presuming(aRequest(45, { key: 'twice' })),
    ];
    const { kinds, seen } = await store(...group);
    expect(kinds).toEqual(['accepted', 'replayed', 'replayed', 'accepted', 'replayed']);
    expect(seen).toEqual([1]);
    expect(await stored(...group)).toEqual([true, false, false, true, false]);
  });

  it('answers for a key whose row has expired and is there as if it had been looked for', async () => {
    const first = aRequest(50);
    const { key, fingerprint, transferId } = first;
    const times = { createdAt: LONG_AGO, expiresAt: LONG_AGO };
    await writeRows(given().store, {
      keys: [{ ...aKeyRow(50), ...key, fingerprint, transferId, ...times }],
    });
    const again = aRequest(51, { key: 'presumed-50' });
    const looked = await store(again);
    const presumed = await store(presuming(again));
    expect(presumed.results).toEqual(looked.results);
    expect(presumed.results).toEqual([{ kind: 'replayed', transferId, requestedAt: LONG_AGO }]);
    expect([looked.seen, presumed.seen]).toEqual([[1], [0, 1]]);
  });
}

function idOf(result: RequestResult): string | undefined {
  return result.kind === 'key_reused' ? undefined : result.transferId;
}
