import { expect, test } from '@jest/globals';
import { REAL_CLOCK } from '../clock.js';
import type { Clock } from '../clock.js';
import { silentLog } from '../spec-support.js';
import { BatchRunner } from './batch-runner.js';
import type { BatchVerdict, IncomingBatch } from './ports.js';

function batchOf(offsets: readonly string[], value = ''): IncomingBatch {
  const [topic, partition] = ['t', 3];
  const messages = offsets.map((offset) => ({ topic, partition, offset, value, timestampMs: 0 }));
  return { topic, partition, messages };
}

interface Call {
  readonly offsets: readonly string[];
  readonly attempt: number;
  readonly finish: (verdict: BatchVerdict) => void;
}

/** What runs did to their partition, in order: taken, the offsets it advanced to, pauses, resumes. */
function scene(
  handle?: () => Promise<BatchVerdict>,
  readAheadCharacters?: number,
  clock: Clock = REAL_CLOCK,
) {
  const done: string[] = [];
  const calls: Call[] = [];
  const waits = ({ messages }: IncomingBatch, attempt: number): Promise<BatchVerdict> =>
    new Promise((finish) => {
      calls.push({ offsets: messages.map(({ offset }) => offset), attempt, finish });
    });
  const runner = new BatchRunner(
    {
      ...{ handle: handle ?? waits, log: silentLog(), clock },
      ...(readAheadCharacters === undefined
        ? {}
        : { readAheadCharacters, pressed: () => done.push('pressed') }),
    },
    {
      pause: () => done.push('pause'),
      resume: () => done.push('resume'),
      advance: (_, offset) => done.push(offset),
    },
  );
  const run = (batch: IncomingBatch): Promise<void> => runner.run(batch, () => done.push('taken'));
  const finish = (n: number, verdict: BatchVerdict): void => calls[n]?.finish(verdict);
  return { runner, run, done, calls, finish };
}

/** Lets everything run that waits for nothing but promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const batch = batchOf(['7', '9', '12']);

test.each([
  ['in full', { processed: 3 }, ['taken', '12']],
  ['in part', { processed: 2, retryAfterMs: 60_000 }, ['taken', '9']],
  ['in part, without a wish', { processed: 1 }, ['taken', '7']],
  [
    'in part, and no further',
    { processed: 2, retryAfterMs: 60_000, stops: true },
    ['taken', '9', 'pause'],
  ],
  ['not at all', { processed: 0, retryAfterMs: 60_000 }, ['taken']],
  ['beyond its end', { processed: 9 }, ['taken', '12']],
  ['below its begin', { processed: -1 }, ['taken']],
])('a batch handled %s', async (_, verdict, expected) => {
  const { runner, run, done } = scene(() => Promise.resolve(verdict));
  await run(batch);
  await settled();
  runner.close();
  expect(done).toEqual(expected);
});

test('what comes while a batch is handled is handled, too, and nothing advances over a gap', async () => {
  const { runner, run, done, calls } = scene();
  await run(batch);
  await run(batchOf(['13', '14']));
  await run(batchOf(['15']));
  expect(calls.map(({ offsets }) => offsets)).toEqual([['7', '9', '12'], ['13', '14'], ['15']]);
  calls[1]?.finish({ processed: 2 });
  await settled();
  expect(done).toEqual(['taken', 'taken', 'taken']);
  calls[0]?.finish({ processed: 3 });
  await settled();
  expect(done).toEqual(['taken', 'taken', 'taken', '14']);
  calls[2]?.finish({ processed: 1 });
  await runner.drained();
  await settled();
  expect(done).toEqual(['taken', 'taken', 'taken', '14', '15']);
  expect(runner.busyCount).toBe(0);
});

test('what failed is handed over again together, and the partition is read on in the meantime', async () => {
  const { runner, run, done, calls, finish } = scene();
  await run(batch);
  await run(batchOf(['13']));
  await run(batchOf(['14', '15']));
  finish(0, { processed: 1, retryAfterMs: 200 });
  finish(1, { processed: 1 });
  finish(2, { processed: 0, retryAfterMs: 60_000 });
  await settled();
  await run(batchOf(['16']));
  finish(3, { processed: 1 });
  while (calls.length < 5) await settled();
  expect(done).toEqual(['taken', 'taken', 'taken', '7', 'taken']);
  expect(calls.at(4)?.offsets).toEqual(['9', '12', '14', '15']);
  finish(4, { processed: 3, retryAfterMs: 1 });
  while (calls.length < 6) await settled();
  expect(done.slice(5)).toEqual(['14']);
  expect(calls.at(5)?.offsets).toEqual(['15']);
  finish(5, { processed: 1 });
  await settled();
  expect(done.slice(6)).toEqual(['16']);
  expect(runner.busyCount).toBe(0);
  expect(calls.map(({ attempt }) => attempt)).toEqual([0, 0, 0, 0, 1, 2]);
});

/** Time that passes when the spec says so; chance is always the same. */
function standingClock(chance: number) {
  const pauses: number[] = [];
  const ends = new Set<() => void>();
  const clock: Clock = {
    ...REAL_CLOCK,
    random: () => chance,
    after: (ms, run) => {
      pauses.push(ms);
      ends.add(run);
      return () => ends.delete(run);
    },
  };
  const pass = async (): Promise<void> => {
    ends.forEach((end) => end());
    await settled();
  };
  return { clock, pauses, ends, pass };
}

test.each([
  ['at the longest', 1, [200, 400, 800, 1_000, 1_000]],
  ['in the middle', 0.5, [150, 250, 450, 550, 550]],
  ['at the shortest', 0, [100, 100, 100, 100, 100]],
])('the pause grows with each failure in a row, %s', async (_, chance, expected) => {
  const { clock, pauses, pass } = standingClock(chance);
  const { runner, run, calls, finish } = scene(undefined, undefined, clock);
  await run(batch);
  for (const [n] of expected.entries()) {
    finish(n, { processed: 0 });
    await settled();
    expect(calls).toHaveLength(n + 1);
    await pass();
    expect(calls[n + 1]?.attempt).toBe(n + 1);
  }
  expect(pauses).toEqual(expected);
  finish(expected.length, { processed: 3 });
  await settled();
  expect(runner.busyCount).toBe(0);
});

test('the pause is short again once nothing has failed, and grows on after a wish', async () => {
  const { clock, pauses, pass } = standingClock(1);
  const { run, calls } = scene(undefined, undefined, clock);
  const failed = { processed: 0 };
  await run(batch);
  for (const verdict of [failed, { ...failed, retryAfterMs: 7_000 }, failed, { processed: 3 }]) {
    calls.at(-1)?.finish(verdict);
    await settled();
    await pass();
  }
  await run(batchOf(['13']));
  calls.at(-1)?.finish(failed);
  await settled();
  expect(pauses).toEqual([200, 7_000, 800, 200]);
});

test('the pause of a partition is nothing to another one, and ends with a stop', async () => {
  const { clock, pauses, ends } = standingClock(1);
  const { runner, run, calls, finish } = scene(undefined, undefined, clock);
  await run(batch);
  finish(0, { processed: 0 });
  await settled();
  await run({ ...batchOf(['21']), partition: 4 });
  finish(1, { processed: 0 });
  await settled();
  expect(pauses).toEqual([200, 200]);
  await runner.drained();
  await settled();
  expect([ends.size, calls.length]).toEqual([0, 2]);
});

test('a partition that was stopped turns away what comes, until all of it is handled', async () => {
  const { runner, run, done, calls } = scene();
  await run(batch);
  calls[0]?.finish({ processed: 1, retryAfterMs: 1, stops: true });
  await settled();
  await run(batchOf(['13']));
  expect(done).toEqual(['taken', '7', 'pause', 'pause']);
  expect(runner.holdsFetches).toBe(true);
  while (calls.length < 2) await settled();
  expect(calls[1]?.offsets).toEqual(['9', '12']);
  calls[1]?.finish({ processed: 2 });
  await settled();
  expect(done.slice(4)).toEqual(['12', 'resume']);
  expect(runner.busyCount).toBe(0);
});

test('a handler that throws is asked again', async () => {
  let calls = 0;
  const { runner, run, done } = scene(() => {
    calls += 1;
    return Promise.reject(new Error('it must not'));
  });
  await run(batch);
  await settled();
  expect(done).toEqual(['taken']);
  expect(runner.busyCount).toBe(1);
  await runner.drained();
  expect(calls).toBe(1);
});

test('a full partition holds the fetch back until nothing of it is in hand', async () => {
  const { runner, run, done, calls } = scene();
  await run(batch);
  expect(runner.holdsFetches).toBe(false);
  let isBack = false;
  const full = run(batchOf(['13'], 'x'.repeat(70_000))).then(() => {
    isBack = true;
  });
  calls[1]?.finish({ processed: 1 });
  await settled();
  expect([isBack, runner.holdsFetches]).toEqual([false, true]);
  calls[0]?.finish({ processed: 3 });
  await full;
  expect(done).toEqual(['taken', 'taken', '13']);
  expect(runner.holdsFetches).toBe(false);
});

test('a handler may ask for more in hand of all partitions; it is told when half of that is', async () => {
  const { runner, run, done, calls } = scene(undefined, 200_000);
  await run(batchOf(['13'], 'x'.repeat(100_000)));
  expect(done).toEqual(['taken']);
  await run({ ...batchOf(['21'], 'x'.repeat(100_000)), partition: 4 });
  expect(done).toEqual(['taken', 'taken', 'pressed']);
  await run({ ...batchOf(['7'], 'x'), partition: 5 });
  expect(runner.holdsFetches).toBe(false);
  const full = run(batchOf(['14'], 'x'));
  await settled();
  expect(runner.holdsFetches).toBe(true);
  calls.forEach(({ finish }) => finish({ processed: 1 }));
  await full;
  expect(done.slice(-4).toSorted()).toEqual(['13', '14', '21', '7']);
});

test('a partition that fails does not count: the others need not hurry for it', async () => {
  const { runner, run, done, calls } = scene(undefined, 200_000);
  await run(batchOf(['13'], 'x'.repeat(150_000)));
  calls[0]?.finish({ processed: 0, retryAfterMs: 60_000 });
  await settled();
  done.length = 0;
  await run({ ...batchOf(['21'], 'x'.repeat(90_000)), partition: 4 });
  expect([done, runner.holdsFetches]).toEqual([['taken'], false]);
  runner.close();
});

test('who lets work gather is told when somebody waits for it', async () => {
  const { runner, run, done, calls } = scene(undefined, 200_000);
  await run(batch);
  runner.forget();
  expect(done).toEqual(['taken', 'pressed']);
  calls[0]?.finish({ processed: 3 });
  await settled();
  await run(batch);
  const drained = runner.drained();
  expect(done).toEqual(['taken', 'pressed', 'taken', 'pressed']);
  calls[1]?.finish({ processed: 3 });
  await drained;
});

test('what comes back after a rebalance waits for the handlers of before', async () => {
  const { runner, run, done, calls } = scene();
  await run(batch);
  runner.forget();
  await run(batch);
  expect(done).toEqual(['taken', 'pause']);
  expect(calls).toHaveLength(1);
  calls[0]?.finish({ processed: 1 });
  await settled();
  expect(done).toEqual(['taken', 'pause', 'resume']);
  await run(batchOf(['9', '12']));
  expect(calls).toHaveLength(2);
});

test('what waits to be handed over again is dropped by a rebalance', async () => {
  const { runner, run, done, calls } = scene();
  await run(batch);
  calls[0]?.finish({ processed: 0, retryAfterMs: 60_000 });
  await settled();
  runner.forget();
  await settled();
  expect(done).toEqual(['taken']);
  expect([calls.length, runner.busyCount]).toEqual([1, 0]);
});

test('a stop waits for handlers at work and hands nothing over again', async () => {
  const { runner, run, calls } = scene();
  await run(batch);
  await run(batchOf(['13']));
  calls[0]?.finish({ processed: 0, retryAfterMs: 60_000 });
  await settled();
  const drained = runner.drained();
  calls[1]?.finish({ processed: 1 });
  await drained;
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(calls).toHaveLength(2);
});

test('a full partition that is lost with a rebalance holds nothing back and is not paused', async () => {
  const { runner, run, done, calls } = scene();
  await run(batch);
  calls[0]?.finish({ processed: 0, retryAfterMs: 60_000 });
  await settled();
  let isBack = false;
  const full = run(batchOf(['13'], 'x'.repeat(1_100_000))).then(() => {
    isBack = true;
  });
  calls[1]?.finish({ processed: 0, retryAfterMs: 60_000 });
  await settled();
  expect([isBack, runner.holdsFetches]).toEqual([false, true]);
  runner.forget();
  await full;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(done).toEqual(['taken', 'taken']);
  expect([runner.busyCount, runner.holdsFetches]).toEqual([0, false]);
});
