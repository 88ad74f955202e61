import { expect, test } from '@jest/globals';
import { silentLog } from '../spec-support.js';
import { BatchRunner } from './batch-runner.js';
import type { BatchVerdict, IncomingBatch } from './ports.js';

const batch: IncomingBatch = {
  topic: 't',
  partition: 3,
  messages: ['7', '9', '12'].map((offset) => ({
    topic: 't',
    partition: 3,
    offset,
    value: '',
    timestampMs: 0,
  })),
};

/** What a run did to its partition, in order: the offset it advanced to, pauses and resumes. */
function runnerThat(handle: () => Promise<BatchVerdict>) {
  const done: string[] = [];
  const runner = new BatchRunner(
    { handle, log: silentLog() },
    { pause: () => done.push('pause'), resume: () => done.push('resume') },
  );
  return { runner, done, run: () => runner.run(batch, (offset) => done.push(offset)) };
}

test.each([
  ['in full', { processed: 3 }, ['12', 'resume']],
  ['in part', { processed: 2, retryAfterMs: 60_000 }, ['9', 'pause']],
  ['in part, without a wish', { processed: 1 }, ['7', 'pause']],
  ['not at all', { processed: 0, retryAfterMs: 60_000 }, ['pause']],
  ['beyond its end', { processed: 9 }, ['12', 'resume']],
  ['below its begin', { processed: -1 }, ['pause']],
])('a batch handled %s', async (_, verdict, expected) => {
  const { runner, run, done } = runnerThat(() => Promise.resolve(verdict));
  await run();
  runner.close();
  expect(done).toEqual(expected);
});

test('a batch of a partition that is still busy is turned away until the first is done', async () => {
  let finish: (verdict: BatchVerdict) => void = () => undefined;
  let calls = 0;
  const { runner, run, done } = runnerThat(() => {
    calls += 1;
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  const first = run();
  await run();
  expect([calls, runner.busyCount]).toEqual([1, 1]);
  finish({ processed: 3 });
  await first;
  await runner.drained();
  expect(done).toEqual(['pause', '12', 'resume']);
  expect(runner.busyCount).toBe(0);
});

test('a partition that was paused for a retry is read again after that time', async () => {
  let resumed: () => void = () => undefined;
  const isResumed = new Promise<void>((resolve) => {
    resumed = resolve;
  });
  const runner = new BatchRunner(
    { handle: () => Promise.resolve({ processed: 0, retryAfterMs: 1 }), log: silentLog() },
    {
      pause: () => undefined,
      resume: () => {
        resumed();
      },
    },
  );
  await runner.run(batch, () => undefined);
  await isResumed;
});
