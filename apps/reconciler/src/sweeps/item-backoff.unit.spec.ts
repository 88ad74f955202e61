import { describe, expect, it } from '@jest/globals';
import { ItemBackoff } from './item-backoff.js';

function backoffAt(clock: { ms: number }, itemsMax = 10): ItemBackoff {
  return new ItemBackoff({ firstMs: 30, maxMs: 100, itemsMax, now: () => clock.ms });
}

describe('ItemBackoff', () => {
  it('lets an item that was never tried go at once', () => {
    expect(backoffAt({ ms: 0 }).isDue('a')).toBe(true);
  });

  it('doubles the pause after each attempt up to its cap', () => {
    const clock = { ms: 0 };
    const backoff = backoffAt(clock);
    const pauses = [30, 60, 100, 100];
    for (const pause of pauses) {
      backoff.attempted('a');
      clock.ms += pause - 1;
      expect(backoff.isDue('a')).toBe(false);
      clock.ms += 1;
      expect(backoff.isDue('a')).toBe(true);
    }
  });

  it('keeps the items apart', () => {
    const backoff = backoffAt({ ms: 0 });
    backoff.attempted('a');
    expect(backoff.isDue('b')).toBe(true);
  });

  it('puts off what came too early without counting it as an attempt', () => {
    const clock = { ms: 0 };
    const backoff = backoffAt(clock);
    backoff.postponed('a', 7);
    clock.ms += 6;
    expect(backoff.isDue('a')).toBe(false);
    clock.ms += 1;
    expect(backoff.isDue('a')).toBe(true);
    backoff.attempted('a');
    clock.ms += 30;
    expect(backoff.isDue('a')).toBe(true);
  });

  it('begins afresh with an item that worked out', () => {
    const backoff = backoffAt({ ms: 0 });
    backoff.attempted('a');
    backoff.forget('a');
    expect(backoff.isDue('a')).toBe(true);
    expect(backoff.size).toBe(0);
  });

  it('forgets the item that was tried longest ago when its memory is full', () => {
    const backoff = backoffAt({ ms: 0 }, 2);
    backoff.attempted('a');
    backoff.attempted('b');
    backoff.attempted('a');
    backoff.attempted('c');
    expect(backoff.size).toBe(2);
    expect(backoff.isDue('b')).toBe(true);
    expect(backoff.isDue('a')).toBe(false);
    expect(backoff.isDue('c')).toBe(false);
  });

  it.each([
    [0, 1_000],
    [0.5, 1_100],
    [0.999, 1_199.8],
  ])('prolongs a pause by a share of a fifth drawn as %d', (drawn, dueMs) => {
    const clock = { ms: 0 };
    const options = { firstMs: 1_000, maxMs: 9_000, itemsMax: 10, now: () => clock.ms };
    const backoff = new ItemBackoff({ ...options, random: () => drawn });
    backoff.attempted('x');
    clock.ms = dueMs - 1;
    expect(backoff.isDue('x')).toBe(false);
    clock.ms = dueMs + 1;
    expect(backoff.isDue('x')).toBe(true);
  });
});
