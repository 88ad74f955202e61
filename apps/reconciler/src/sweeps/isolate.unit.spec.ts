import { describe, expect, it } from '@jest/globals';
import { StoreError } from '@surety/saga';
import { isolate } from './isolate.js';

describe('isolate', () => {
  it('runs nothing for no items', async () => {
    const run = () => Promise.reject(new Error('called'));
    await expect(isolate([], run)).resolves.toEqual({ done: [], failed: [] });
  });

  it('pairs every item with its result in one run where all are sound', async () => {
    const batches: number[][] = [];
    const { done, failed } = await isolate([1, 2, 3], async (batch) => {
      batches.push([...batch]);
      return batch.map((item) => item * 10);
    });
    expect(batches).toEqual([[1, 2, 3]]);
    expect(done.map(({ item, result }) => [item, result])).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    expect(failed).toEqual([]);
  });

  it.each([[0], [3], [6]])('finds the one broken item at place %i', async (broken) => {
    const items = [0, 1, 2, 3, 4, 5, 6];
    const { done, failed } = await isolate(items, async (batch) => {
      if (batch.includes(broken)) throw new StoreError('data', 'broken row');
      return batch;
    });
    expect(failed.map(({ item }) => item)).toEqual([broken]);
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
      await expect(isolate([1, 2, 3], run)).rejects.toThrow('away');
      expect(runs).toBe(1);
    },
  );
});
