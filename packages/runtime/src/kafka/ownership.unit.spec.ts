import { expect, test } from '@jest/globals';
import { Ownership } from './ownership.js';

const first = { topic: 't', partition: 3 };
const second = { topic: 't', partition: 4 };

test('the first batch of each partition after a join is turned away, the next ones are taken', () => {
  const ownership = new Ownership();
  ownership.joined({ t: [3, 4] });
  expect([1, 2, 3].map(() => ownership.accepts(first))).toEqual([false, true, true]);
  expect([1, 2].map(() => ownership.accepts(second))).toEqual([false, true]);
  ownership.joined({ t: [3] });
  expect([1, 2].map(() => ownership.accepts(first))).toEqual([false, true]);
  expect([1, 2].map(() => ownership.accepts(second))).toEqual([false, false]);
});

test('nothing is owned before a join, or after one that gave nothing', () => {
  const ownership = new Ownership();
  expect([ownership.hasPartitions, ownership.accepts(first)]).toEqual([false, false]);
  ownership.joined({ t: [] });
  expect([ownership.hasPartitions, ownership.accepts(first)]).toEqual([false, false]);
  ownership.joined({ t: [3] });
  expect(ownership.hasPartitions).toBe(true);
});
