import { describe, expect, test } from '@jest/globals';
import { Batcher, BatcherStoppedError, QueueFullError, type BatcherOptions } from './batcher.js';
import { REAL_CLOCK } from './clock.js';

interface Run {
  readonly items: readonly number[];
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

/** A batcher whose runs end when the spec says so; each result is ten times its item. */
function controlled(overrides: Partial<BatcherOptions<number, number>> = {}) {
  const runs: Run[] = [];
  const batcher = new Batcher<number, number>({
    weightMax: 100,
    queueMax: 1000,
    run: (items) =>
      new Promise((resolve, reject) => {
        runs.push({
          items,
          finish: () => {
            resolve(items.map((item) => item * 10));
          },
          fail: reject,
        });
      }),
    ...overrides,
  });
  return { batcher, runs };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function runAt(runs: readonly Run[], index: number): Run {
  const run = runs[index];
  if (run === undefined) throw new Error(`run ${index} has not begun`);
  return run;
}

describe('the pace', () => {
  function paced() {
    let nowMs = 0;
    const timers: { readonly atMs: number; readonly run: () => void }[] = [];
    const clock = {
      ...REAL_CLOCK,
      nowMs: () => nowMs,
      after: (ms: number, run: () => void) => {
        const timer = { atMs: nowMs + ms, run };
        timers.push(timer);
        return () => timers.splice(timers.indexOf(timer), 1);
      },
    };
    const advance = async (ms: number): Promise<void> => {
      nowMs += ms;
      const due = timers.filter(({ atMs }) => atMs <= nowMs);
      due.forEach((timer) => timers.splice(timers.indexOf(timer), 1));
      due.forEach(({ run }) => run());
      await turn();
    };
    return { ...controlled({ pace: { ms: 10, fromWeight: 2 }, clock, weightMax: 4 }), advance };
  }

  test('lets who comes after a rest begin at once', async () => {
    const { batcher, runs, advance } = paced();
    void batcher.submit(1);
    void batcher.submit(2);
    await turn();
    runAt(runs, 0).finish();
    await advance(10);
    void batcher.submit(3);
    await turn();
    expect(runs.map((run) => run.items)).toEqual([[1, 2], [3]]);
  });

  test('lets who comes after a lone one begin at once', async () => {
    const { batcher, runs, advance } = paced();
    void batcher.submit(1);
    await turn();
    runAt(runs, 0).finish();
    await advance(1);
    void batcher.submit(2);
    await turn();
    expect(runs.map((run) => run.items)).toEqual([[1], [2]]);
  });

  test('gathers who comes sooner after a shared run, until it is time', async () => {
    const { batcher, runs, advance } = paced();
    void batcher.submit(1);
    void batcher.submit(2);
    await turn();
    runAt(runs, 0).finish();
    await turn();
    void batcher.submit(3);
    await advance(6);
    void batcher.submit(4);
    expect(runs).toHaveLength(1);
    await advance(4);
    expect(runs.map((run) => run.items)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('does not hold back a full batch, and what comes after it rests again', async () => {
    const { batcher, runs, advance } = paced();
    for (const item of [1, 2]) void batcher.submit(item);
    await turn();
    runAt(runs, 0).finish();
    await turn();
    for (const item of [3, 4, 5]) void batcher.submit(item);
    await turn();
    expect(runs).toHaveLength(1);
    for (const item of [6, 7]) void batcher.submit(item);
    await turn();
    expect(runs.map((run) => run.items)).toEqual([
      [1, 2],
      [3, 4, 5, 6],
    ]);
    runAt(runs, 1).finish();
    await advance(9);
    expect(runs).toHaveLength(2);
    await advance(1);
    expect(runs[2]?.items).toEqual([7]);
  });

  test('is not kept by those who are hurried, and is again after them', async () => {
    const { batcher, runs, advance } = paced();
    for (const item of [1, 2]) void batcher.submit(item);
    await turn();
    runAt(runs, 0).finish();
    await turn();
    for (const item of [3, 4]) void batcher.submit(item);
    batcher.hurry();
    await turn();
    expect(runs[1]?.items).toEqual([3, 4]);
    batcher.hurry();
    runAt(runs, 1).finish();
    await turn();
    void batcher.submit(5);
    await advance(9);
    expect(runs).toHaveLength(2);
    await advance(1);
    expect(runs[2]?.items).toEqual([5]);
  });

  test('is kept by none of those who are hurried, however many runs they take', async () => {
    const { batcher, runs } = paced();
    for (const item of [1, 2]) void batcher.submit(item);
    await turn();
    for (const item of [3, 4, 5, 6, 7]) void batcher.submit(item);
    batcher.hurry();
    for (const n of [0, 1]) {
      runAt(runs, n).finish();
      await turn();
      await turn();
    }
    expect(runs.map((run) => run.items)).toEqual([[1, 2], [3, 4, 5, 6], [7]]);
  });

  test('is not kept by those who are hurried while a run lasts', async () => {
    const { batcher, runs } = paced();
    for (const item of [1, 2]) void batcher.submit(item);
    await turn();
    void batcher.submit(3);
    batcher.hurry();
    runAt(runs, 0).finish();
    await turn();
    await turn();
    expect(runs[1]?.items).toEqual([3]);
  });

  test('ends with a stop', async () => {
    const { batcher, runs, advance } = paced();
    for (const item of [1, 2]) void batcher.submit(item);
    await turn();
    runAt(runs, 0).finish();
    await turn();
    void batcher.submit(3);
    const stopped = batcher.stop();
    await turn();
    expect(runs[1]?.items).toEqual([3]);
    runAt(runs, 1).finish();
    await stopped;
    await advance(10);
    expect(runs).toHaveLength(2);
  });

  test('counts from the beginning: a long run is followed at once', async () => {
    const { batcher, runs, advance } = paced();
    void batcher.submit(1);
    void batcher.submit(2);
    await turn();
    void batcher.submit(3);
    await advance(25);
    runAt(runs, 0).finish();
    await turn();
    await turn();
    expect(runs.map((run) => run.items)).toEqual([[1, 2], [3]]);
  });
});

describe('gathering', () => {
  test('a lone item goes alone and at once', async () => {
    const { batcher, runs } = controlled();
    const result = batcher.submit(1);
    await turn();
    expect(runs.map((run) => run.items)).toEqual([[1]]);
    runAt(runs, 0).finish();
    expect(await result).toBe(10);
  });

  test('what comes in one turn of the loop goes together', async () => {
    const { batcher, runs } = controlled();
    const results = [1, 2].map((item) => batcher.submit(item));
    await Promise.resolve();
    results.push(batcher.submit(3));
    await turn();
    expect(runs.map((run) => run.items)).toEqual([[1, 2, 3]]);
    runAt(runs, 0).finish();
    expect(await Promise.all(results)).toEqual([10, 20, 30]);
  });

  test('what comes during a run goes together in the next, and runs never overlap', async () => {
    const { batcher, runs } = controlled();
    const results = [batcher.submit(1)];
    await turn();
    for (const item of [2, 3, 4]) {
      results.push(batcher.submit(item));
      await turn();
    }
    expect(runs).toHaveLength(1);
    expect(batcher.depth).toBe(3);
    runAt(runs, 0).finish();
    await turn();
    await turn();
    expect(runs.map((run) => run.items)).toEqual([[1], [2, 3, 4]]);
    runAt(runs, 1).finish();
    expect(await Promise.all(results)).toEqual([10, 20, 30, 40]);
  });

  test('those who get their results and submit again join the next run', async () => {
    const { batcher, runs } = controlled();
    const again = batcher.submit(1).then(() => batcher.submit(3));
    await turn();
    void batcher.submit(2);
    runAt(runs, 0).finish();
    await turn();
    await turn();
    expect(runAt(runs, 1).items).toEqual([2, 3]);
    runAt(runs, 1).finish();
    expect(await again).toBe(30);
  });
});

describe('bounds', () => {
  test.each([
    ['closes before the item that would pass the weight', [4, 4, 4], [[4, 4], [4]]],
    ['fills the weight exactly', [5, 5, 1], [[5, 5], [1]]],
    ['takes an item heavier than the bound alone', [1, 50, 1], [[1], [50], [1]]],
  ])('a batch %s', async (_, items, expected) => {
    const seen: (readonly number[])[] = [];
    const batcher = new Batcher<number, number>({
      weightMax: 10,
      queueMax: 100,
      weigh: (item) => item,
      run: (batch) => {
        seen.push(batch);
        return Promise.resolve(batch);
      },
    });
    await Promise.all(items.map((item) => batcher.submit(item)));
    expect(seen).toEqual(expected);
  });

  test('a full queue refuses and takes items again when it has room', async () => {
    const { batcher, runs } = controlled({ queueMax: 2 });
    const results = [batcher.submit(1), batcher.submit(2)];
    await expect(batcher.submit(3)).rejects.toThrow(QueueFullError);
    await turn();
    results.push(batcher.submit(4), batcher.submit(5));
    await expect(batcher.submit(6)).rejects.toThrow(QueueFullError);
    runAt(runs, 0).finish();
    await turn();
    await turn();
    runAt(runs, 1).finish();
    expect(await Promise.all(results)).toEqual([10, 20, 40, 50]);
  });

  test('a long queue keeps its order', async () => {
    const count = 10_000;
    const seen: number[] = [];
    const batcher = new Batcher<number, number>({
      weightMax: 7,
      queueMax: count,
      run: (items) => {
        seen.push(...items);
        return Promise.resolve(items);
      },
    });
    const items = Array.from({ length: count }, (_, index) => index);
    expect(await Promise.all(items.map((item) => batcher.submit(item)))).toEqual(items);
    expect(seen).toEqual(items);
  });
});

describe('failures', () => {
  test('a run that rejects rejects its items only', async () => {
    const { batcher, runs } = controlled();
    const failed = [batcher.submit(1), batcher.submit(2)].map((result) =>
      expect(result).rejects.toThrow('away'),
    );
    await turn();
    const next = batcher.submit(3);
    runAt(runs, 0).fail(new Error('away'));
    await Promise.all(failed);
    await turn();
    runAt(runs, 1).finish();
    expect(await next).toBe(30);
  });

  test('a run that throws or miscounts its results rejects its items', async () => {
    const throwing = controlled({
      run: () => {
        throw new Error('a bug');
      },
    });
    await expect(throwing.batcher.submit(1)).rejects.toThrow('a bug');
    const miscounting = controlled({ run: () => Promise.resolve([]) });
    await expect(miscounting.batcher.submit(1)).rejects.toThrow('gave 0 results');
  });
});

describe('the end', () => {
  test('a stop refuses new items and waits for those that were taken', async () => {
    const { batcher, runs } = controlled();
    const taken = [batcher.submit(1)];
    await turn();
    taken.push(batcher.submit(2));
    let hasStopped = false;
    const stopped = batcher.stop().then(() => {
      hasStopped = true;
    });
    await expect(batcher.submit(3)).rejects.toThrow(BatcherStoppedError);
    runAt(runs, 0).finish();
    await turn();
    await turn();
    expect(hasStopped).toBe(false);
    runAt(runs, 1).finish();
    await stopped;
    expect(await Promise.all(taken)).toEqual([10, 20]);
  });

  test('an idle batcher has no depth, no age and nothing to wait for', async () => {
    const { batcher, runs } = controlled();
    await batcher.idle();
    expect([batcher.depth, batcher.oldestAgeMs()]).toEqual([0, 0]);
    const result = batcher.submit(1);
    await turn();
    expect(batcher.depth).toBe(0);
    expect(batcher.oldestAgeMs()).toBeGreaterThan(0);
    runAt(runs, 0).finish();
    await result;
    await batcher.idle();
    expect(batcher.oldestAgeMs()).toBe(0);
  });
});
