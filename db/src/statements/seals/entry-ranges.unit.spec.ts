import { describe, expect, it } from '@jest/globals';
import { withoutNumbers } from './entry-ranges.js';

const A = 'account-a';
const B = 'account-b';

describe('ranges without some numbers', () => {
  it.each<[string, readonly bigint[], readonly [bigint, bigint][]]>([
    ['none', [], [[3n, 7n]]],
    ['the first', [3n], [[4n, 7n]]],
    ['the last', [7n], [[3n, 6n]]],
    [
      'one in the middle',
      [5n],
      [
        [3n, 4n],
        [6n, 7n],
      ],
    ],
    [
      'two beside each other, in any order',
      [6n, 5n],
      [
        [3n, 4n],
        [7n, 7n],
      ],
    ],
    ['those before and behind', [2n, 8n], [[3n, 7n]]],
    ['all of them', [3n, 4n, 5n, 6n, 7n], []],
  ])('%s', (_, numbers, expected) => {
    const out = numbers.map((entrySeq) => ({ account: A, entrySeq }));
    const range = { account: A, firstSeq: 3n, lastSeq: 7n };
    const left = withoutNumbers([range, { ...range, account: B }], out);
    expect(left).toEqual([
      ...expected.map(([firstSeq, lastSeq]) => ({ account: A, firstSeq, lastSeq })),
      { ...range, account: B },
    ]);
  });
});
