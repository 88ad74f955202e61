import { expect, test } from '@jest/globals';
import { splitIntoRounds } from './rounds.js';

const KB = 1024;

function message(partition: number, bytes: number) {
  return { topic: 't', partition, value: 'x'.repeat(bytes) };
}

test.each([
  ['nothing', [], []],
  ['what fits', [message(0, 1), message(1, 1)], [2]],
  ['a partition beyond one record batch', [message(0, 500 * KB), message(0, 500 * KB)], [1, 1]],
  ['as much in two partitions', [message(0, 500 * KB), message(1, 500 * KB)], [2]],
  ['a message beyond the bound', [message(0, 1), message(0, 950 * KB), message(0, 1)], [1, 1, 1]],
  [
    'many partitions beyond one request',
    Array.from({ length: 12 }, (_, index) => message(index, 800 * KB)),
    [10, 2],
  ],
])('%s', (_, messages, expected) => {
  const rounds = splitIntoRounds(messages);
  expect(rounds.map((round) => round.length)).toEqual(expected);
  expect(rounds.flat()).toEqual(messages);
});
