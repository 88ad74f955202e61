import { expect, test } from '@jest/globals';
import { FetchPace } from './fetch-pace.js';

const SHARED = 3_000;

/** Fetches at these times, each bringing so many characters; how long each rests after its answer. */
function restsOf(times: readonly number[], characters = SHARED): number[] {
  let now = 0;
  const pace = new FetchPace(6, () => now);
  return times.map((time) => {
    now = time;
    pace.fetched();
    pace.brought(characters / 2);
    pace.brought(characters / 2);
    return pace.restMs;
  });
}

test('a few fetches follow each other at once, more of them keep the pace', () => {
  expect(restsOf([100, 100, 100, 100, 106, 112])).toEqual([0, 0, 0, 6, 6, 6]);
});

test('fetches that are further apart never rest, and a pause lets a few follow at once again', () => {
  expect(restsOf([0, 6, 12, 18, 24, 30, 36])).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(restsOf([0, 0, 0, 0, 1_000, 1_000, 1_000, 1_000])).toEqual([0, 0, 0, 6, 0, 0, 6, 12]);
});

test('fetches that bring no more than one transfer never rest', () => {
  expect(restsOf([0, 0, 0, 0, 0, 0, 0], 1_100)).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

test('fetches that bring much keep a longer distance, up to four times', () => {
  expect(restsOf([0, 0, 0], 33_000)).toEqual([0, 0, 6]);
  expect(restsOf([0, 0, 0], 66_000)).toEqual([0, 6, 24]);
  expect(restsOf([0, 0, 0], 1_000_000)).toEqual([0, 12, 36]);
});
