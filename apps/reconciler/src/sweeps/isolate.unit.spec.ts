import { describe, expect, it } from '@jest/globals';
import { StoreError } from '@surety/saga';
import { isolateBroken } from './isolate.js';

describe('isolating broken rows', () => {
  it('runs nothing for no items', async () => {
    const run = () => Promise.reject(new Error('called'));
    await expect(isolateBroken([], run)).resolves.toEqual({ done: [], faulty: [] });
  });

  it('pairs every item with its result in one run where all are sound', async () => {
    const batches: number[][] = [];
    const { done, faulty } = await isolateBroken([1, 2, 3], async (batch) => {
      batches.push([...batch]);
      return batch.map((item) => item * 10);
    });
    expect(batches).toEqual([[1, 2, 3]]);
    expect(done.map(({ item, result }) => [item, result])).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    expect(faulty).toEqual([]);
  });

  it.each([[0], [3], [6]])('finds the one broken item at place %i', async (broken) => {
    const items = [0, 1, 2, 3, 4, 5, 6];
    const { done, faulty } = await isolateBroken(items, async (batch) => {
      if (batch.includes(broken)) throw new StoreError('data', 'broken row');
      return batch;
    });
    expect(faulty.map(({ item }) => item)).toEqual([broken]);
    expect(done.map(({ item }) => item)).toEqual(items.filter((item) => item !== broken));
  });

  it.each(['environment', 'epoch'] as const)(
    'gives the whole batch up where the store fails with %s',
    async (kind) => {
      let runs = 0;
      const run = async (): Promise<number[]> => {
        runs += 1;
        throw new StoreError(kind, 'away');
      };
      await expect(isolateBroken([1, 2, 3], run)).rejects.toThrow('away');
      expect(runs).toBe(1);
    },
  );
});
