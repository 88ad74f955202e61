import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isolate } from './isolate.js';

const FAULT = new Error('faulty');
const AWAY = new Error('away');
const isFault = (error: unknown): boolean => error === FAULT;

/** A transaction over numbers that fails as a whole where one of them is faulty. */
function transactions(faulty: ReadonlySet<number>) {
  const committed: number[][] = [];
  const run = async (items: readonly number[]): Promise<number[]> => {
    if (items.some((item) => faulty.has(item))) throw FAULT;
    committed.push([...items]);
    return items.map((item) => item * 10);
  };
  return { committed, run };
}

describe('isolating faults', () => {
  it('runs a sound batch once, as a whole', async () => {
    const { committed, run } = transactions(new Set());
    const { done, faulty } = await isolate([1, 2, 3], run, isFault);
    expect(committed).toEqual([[1, 2, 3]]);
    expect(done).toEqual([1, 2, 3].map((item) => ({ item, result: item * 10 })));
    expect(faulty).toEqual([]);
  });

  it('runs nothing for no items', async () => {
    const { committed, run } = transactions(new Set());
    await isolate([], run, isFault);
    expect(committed).toEqual([]);
  });

  it('halves until the faulty item is alone, and commits the others in their order', async () => {
    const { committed, run } = transactions(new Set([3]));
    const { faulty } = await isolate([1, 2, 3, 4], run, isFault);
    expect(committed).toEqual([[1, 2], [4]]);
    expect(faulty).toEqual([{ item: 3, error: FAULT }]);
  });

  it('ends with any error that is not the fault of an item', async () => {
    const run = (): Promise<number[]> => Promise.reject(AWAY);
    await expect(isolate([1, 2], run, isFault)).rejects.toBe(AWAY);
  });

  it('finds exactly the faulty items, whichever they are', async () => {
    const items = fc.uniqueArray(fc.integer(), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(items, fc.func(fc.boolean()), async (all, isBad) => {
        const bad = new Set(all.filter((item) => isBad(item)));
        const { run } = transactions(bad);
        const { done, faulty } = await isolate(all, run, isFault);
        expect(faulty.map(({ item }) => item)).toEqual(all.filter((item) => bad.has(item)));
        expect(done.map(({ item }) => item)).toEqual(all.filter((item) => !bad.has(item)));
      }),
    );
  });
});
