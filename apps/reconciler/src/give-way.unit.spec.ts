import { expect, test } from '@jest/globals';
import { REAL_CLOCK } from '@surety/runtime';
import type { Clock } from '@surety/runtime';
import { givingWay } from './give-way.js';

/** A clock on which every rest is over at once, and how long they were. */
function scene(isStopping = () => false) {
  const rests: number[] = [];
  const clock: Clock = {
    ...REAL_CLOCK,
    after: (ms, run) => {
      rests.push(ms);
      queueMicrotask(run);
      return () => undefined;
    },
  };
  return { rests, giveWay: givingWay({ intervalMs: 9_000, isStopping, clock }) };
}

test('rests twice as long as a piece of work took, a second at the most', async () => {
  const { rests, giveWay } = scene();
  for (const tookMs of [20, 35, 0, 900]) await giveWay(tookMs);
  expect(rests).toEqual([40, 70, 1_000]);
});

test('rests no longer than a third of the interval in all', async () => {
  const { rests, giveWay } = scene();
  for (let piece = 0; piece < 20; piece += 1) await giveWay(200);
  expect(rests).toEqual([400, 400, 400, 400, 400, 400, 400, 200]);
});

test('does not rest when it is to stop', async () => {
  const { rests, giveWay } = scene(() => true);
  await giveWay(200);
  expect(rests).toEqual([]);
});
