import { describe, expect, it } from '@jest/globals';
import { partitionsOf } from './system.mjs';

describe('the partitions of a system that the launcher starts', () => {
  it.each([
    ['the default, where there are no topics yet', new Map(), 8, 8],
    [
      'what a folder of an earlier release has',
      new Map([
        ['a', 16],
        ['b', 16],
      ]),
      8,
      16,
    ],
    ['what it has, also where that is less than the default', new Map([['a', 4]]), 8, 4],
    [
      'the most, where they differ',
      new Map([
        ['a', 4],
        ['b', 6],
      ]),
      8,
      6,
    ],
    ['what is set, without a look at the topics', undefined, 32, 32],
  ])('is %s', (_case, found, setting, expected) => {
    expect(partitionsOf(found, setting)).toBe(expected);
  });
});
