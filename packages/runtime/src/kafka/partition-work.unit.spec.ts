import { expect, test } from '@jest/globals';
import { PartitionWork } from './partition-work.js';
import type { IncomingBatch } from './ports.js';

const partition = { topic: 't', partition: 3 };

function batchOf(...offsets: readonly number[]): IncomingBatch {
  const rest = { value: '', timestampMs: 0 };
  const messages = offsets.map((offset) => ({ ...partition, offset: String(offset), ...rest }));
  return { ...partition, messages };
}

test('tells how far everything is handled, each offset once', () => {
  const work = new PartitionWork(partition);
  const [first, second, third] = [batchOf(1, 2), batchOf(3), batchOf(4, 5)].map((batch) =>
    work.add(batch, 10),
  );
  if (!first || !second || !third) throw new Error('three were added');
  expect(work.handled([second], 1)).toBeUndefined();
  expect(work.handled([third], 1)).toBeUndefined();
  expect(work.handled([first], 1)).toBe('1');
  expect(work.handled([first], 0)).toBeUndefined();
  expect(work.handled([first], 1)).toBe('4');
  expect([work.characters, work.isEmpty]).toEqual([10, false]);
  expect(work.handled([third], 1)).toBe('5');
  expect([work.characters, work.isEmpty]).toEqual([0, true]);
});

test('nothing piles up behind a batch that fails for long', () => {
  const work = new PartitionWork(partition);
  const failing = work.add(batchOf(1), 10);
  work.handled([failing], 0);
  for (let offset = 2; offset < 1_000; offset += 1) {
    work.handled([work.add(batchOf(offset), 10)], 1);
    expect(work.batchCount).toBeLessThanOrEqual(2);
  }
  expect(work.failed).toEqual([failing]);
  expect(work.handled([failing], 1)).toBe('999');
  expect([work.batchCount, work.isEmpty]).toEqual([0, true]);
});

test('a batch without messages hides no offset', () => {
  const work = new PartitionWork(partition);
  const [first, empty] = [work.add(batchOf(1), 10), work.add(batchOf(), 0)];
  expect(work.handled([empty], 0)).toBeUndefined();
  expect(work.handled([first], 1)).toBe('1');
  expect(work.isEmpty).toBe(true);
});
