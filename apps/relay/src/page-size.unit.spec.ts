import { describe, expect, it } from '@jest/globals';
import { nextPageRows } from './page-size.js';

describe('the size of the next page', () => {
  it.each([
    ['empty messages', 10, 0, 500],
    ['small messages', 500, 600, 500],
    ['messages of 64 KB', 100, 64 * 1024, 128],
    ['the largest messages', 100, 256 * 1024, 32],
    ['messages beyond their bound', 10, 1024 * 1024, 32],
  ])('with %s: %i rows of %i bytes', (_, rows, bytes, expected) => {
    const payload = 'x'.repeat(bytes);
    expect(nextPageRows(Array.from({ length: rows }, () => ({ payload })))).toBe(expected);
  });
});
