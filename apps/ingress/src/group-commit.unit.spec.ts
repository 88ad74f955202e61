import { afterEach, describe, expect, test } from '@jest/globals';
import { QueueFullError } from '@surety/runtime';
import { StoreError, requestTransfers } from '@surety/saga';
import { MemoryShardStore, aTransferRequest, eur } from '@surety/testing';
import { GroupCommit } from './group-commit.js';
import { ShardUnavailable } from './problem.js';
import { ShardGate } from './shard-gate.js';

const gates: ShardGate[] = [];

function aGate(resetTimeoutMs = 60_000): ShardGate {
  const gate = new ShardGate({ shard: 0, resetTimeoutMs, opened: () => undefined });
  gates.push(gate);
  return gate;
}

/** Groups of numbers; `run` decides what a group comes to. */
function aGroup(
  run: (items: readonly number[]) => Promise<readonly number[]>,
  options: { gate?: ShardGate; queueMax?: number } = {},
) {
  const committed: (readonly number[])[] = [];
  const group = new GroupCommit<number, number>({
    gate: options.gate ?? aGate(),
    queueMax: options.queueMax ?? 100,
    run,
    committed: (results) => committed.push(results),
  });
  return { group, committed };
}

const away = (outcomeUnknown = false): StoreError =>
  new StoreError('environment', 'away', { outcomeUnknown });

afterEach(() => {
  gates.splice(0).forEach((gate) => {
    gate.close();
  });
});

describe('a group commit', () => {
  test('stores what comes together in one transaction', async () => {
    const { group, committed } = aGroup((items) => Promise.resolve(items));
    expect(await Promise.all([1, 2, 3].map((item) => group.submit(item)))).toEqual([1, 2, 3]);
    expect(committed).toEqual([[1, 2, 3]]);
  });

  test('fails only the one item that cannot be stored', async () => {
    const culprit = new StoreError('data', 'out of range');
    const { group, committed } = aGroup((items) =>
      items.includes(5) ? Promise.reject(culprit) : Promise.resolve(items),
    );
    const items = [1, 2, 3, 4, 5, 6, 7];
    const settled = await Promise.allSettled(items.map((item) => group.submit(item)));
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(
      items.map((item) => item !== 5),
    );
    expect(settled[4]).toMatchObject({ reason: culprit });
    expect(committed.flat().sort()).toEqual([1, 2, 3, 4, 6, 7]);
  });

  test('does not halve a group that the environment failed', async () => {
    let runs = 0;
    const { group } = aGroup(() => {
      runs += 1;
      return Promise.reject(away());
    });
    const settled = await Promise.allSettled([group.submit(1), group.submit(2)]);
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
    expect(runs).toBe(1);
  });

  test('hands an outdated map back to the router', async () => {
    const { group } = aGroup(() => Promise.reject(new StoreError('epoch', 'newer map')));
    await expect(group.submit(1)).rejects.toMatchObject({ kind: 'epoch' });
  });

  test('recognises its own transfer after a commit that nobody acknowledged', async () => {
    const store = new MemoryShardStore(0, () => 1_700_000_000_000);
    let isLost = true;
    const group = new GroupCommit({
      gate: aGate(),
      queueMax: 10,
      committed: () => undefined,
      run: async (requests: readonly ReturnType<typeof aTransferRequest>[]) => {
        const results = await requestTransfers(store, requests);
        if (isLost) {
          isLost = false;
          throw away(true);
        }
        return results;
      },
    });
    const request = aTransferRequest({ n: 1, source: 'a', destination: 'b', amount: eur(100) });
    expect(await group.submit(request)).toMatchObject({
      kind: 'accepted',
      transferId: request.transferId,
    });
    expect(store.rows.transfers.size).toBe(1);
  });

  test('runs what nobody acknowledged again as a whole, and halves it only then', async () => {
    const runs: (readonly number[])[] = [];
    let isLost = true;
    const group = new GroupCommit<number, number>({
      gate: aGate(),
      queueMax: 10,
      committed: () => undefined,
      run: (items) => {
        runs.push(items);
        if (isLost) {
          isLost = false;
          return Promise.reject(away(true));
        }
        const isCulprit = items.includes(2) && items.length > 1;
        return isCulprit ? Promise.reject(new Error('no')) : Promise.resolve(items);
      },
    });
    await Promise.all([1, 2, 3].map((item) => group.submit(item)));
    expect(runs).toEqual([[1, 2, 3], [1, 2, 3], [1], [2, 3], [2], [3]]);
  });

  test('gives up on an outcome that stays unknown', async () => {
    let runs = 0;
    const { group } = aGroup(() => {
      runs += 1;
      return Promise.reject(away(true));
    });
    await expect(group.submit(1)).rejects.toMatchObject({ outcomeUnknown: true });
    expect(runs).toBe(3);
  });

  test('refuses more than the queue may hold, and takes more afterwards', async () => {
    let release: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { group } = aGroup(
      async (items) => {
        await started;
        return items;
      },
      { queueMax: 2 },
    );
    const taken = [group.submit(1), group.submit(2)];
    await expect(group.submit(3)).rejects.toBeInstanceOf(QueueFullError);
    release();
    expect(await Promise.all(taken)).toEqual([1, 2]);
    expect(await group.submit(4)).toBe(4);
  });

  test('turns items away at once while the gate is open', async () => {
    const gate = aGate();
    let runs = 0;
    const { group } = aGroup(
      () => {
        runs += 1;
        return Promise.reject(away());
      },
      { gate },
    );
    for (let item = 0; item < 3; item += 1) await group.submit(item).catch(() => undefined);
    await expect(group.submit(9)).rejects.toBeInstanceOf(ShardUnavailable);
    expect(runs).toBe(3);
  });
});

describe('the gate of a shard', () => {
  test('closes again once the shard answers', async () => {
    const states: boolean[] = [];
    const gate = new ShardGate({
      shard: 0,
      resetTimeoutMs: 1,
      opened: (isOpen) => states.push(isOpen),
    });
    gates.push(gate);
    for (let n = 0; n < 3; n += 1) await gate.run(() => Promise.reject(away())).catch(() => n);
    while (gate.isOpen) await new Promise((resolve) => setImmediate(resolve));
    expect(await gate.run(() => Promise.resolve('answer'))).toBe('answer');
    expect(states).toEqual([true, false]);
  });

  test('stays closed when requests fail for their own sake', async () => {
    const gate = aGate();
    for (let n = 0; n < 20; n += 1) {
      await gate.run(() => Promise.reject(new StoreError('data', 'bad'))).catch(() => n);
      await gate.run(() => Promise.reject(new TypeError('bug'))).catch(() => n);
    }
    expect(gate.isOpen).toBe(false);
  });

  test('lets nobody wait for a shard that never answers', async () => {
    const gate = new ShardGate({ shard: 3, answerTimeoutMs: 5, opened: () => undefined });
    gates.push(gate);
    await expect(gate.run(() => new Promise(() => undefined))).rejects.toMatchObject({ shard: 3 });
  });
});
