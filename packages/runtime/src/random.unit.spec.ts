import { describe, expect, test } from '@jest/globals';
import { randomHex, takeRandomBytes } from './random.js';

describe('random bytes out of the pool', () => {
  test.each([0, 1, 8, 24, 4096])('are as many as asked for: %i', (count) => {
    expect(randomHex(count)).toMatch(new RegExp(`^[0-9a-f]{${2 * count}}$`));
    expect(takeRandomBytes(count)).toHaveLength(count);
  });

  test('more than it holds are refused', () => {
    expect(() => randomHex(4097)).toThrow(RangeError);
    expect(() => takeRandomBytes(4097)).toThrow(RangeError);
  });

  test('are never handed out twice, over many refills and sizes', () => {
    const seen = new Set<string>();
    for (let n = 0; n < 20_000; n += 1) {
      seen.add(n % 3 === 0 ? Buffer.from(takeRandomBytes(8)).toString('hex') : randomHex(8));
      randomHex(n % 7);
    }
    expect(seen.size).toBe(20_000);
  });

  test('belong to the caller: later calls leave them as they were', () => {
    const mine = takeRandomBytes(16);
    const before = [...mine];
    for (let n = 0; n < 1_000; n += 1) takeRandomBytes(16);
    expect([...mine]).toEqual(before);
    expect(mine.buffer.byteLength).toBe(16);
  });

  test('take every value about equally often', () => {
    const counts = new Array<number>(256).fill(0);
    for (let n = 0; n < 100; n += 1) {
      for (const byte of takeRandomBytes(4096)) counts[byte] = (counts[byte] as number) + 1;
    }
    // 1,600 expected, deviation 40: ten deviations are never seen by chance.
    expect(Math.min(...counts)).toBeGreaterThan(1_200);
    expect(Math.max(...counts)).toBeLessThan(2_000);
  });
});
