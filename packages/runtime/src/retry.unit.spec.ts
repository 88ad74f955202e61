import { describe, expect, test } from '@jest/globals';
import { DeadlineError, backoffMs, sleep, withDeadline } from './retry.js';

describe('backoff', () => {
  test.each([
    [0, 0, 100],
    [0, 0.5, 150],
    [0, 1, 200],
    [1, 1, 400],
    [2, 1, 800],
    [3, 1, 1000],
    [50, 0, 100],
    [50, 1, 1000],
    [1e9, 1, 1000],
    [-1, 1, 200],
  ])('attempt %p with chance %p waits %p ms', (attempt, chance, expected) => {
    expect(backoffMs(attempt, { minMs: 100, maxMs: 1000, random: () => chance })).toBe(expected);
  });

  test('stays within its bounds with real chance', () => {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const waitMs = backoffMs(attempt, { minMs: 10, maxMs: 80 });
      expect(waitMs).toBeGreaterThanOrEqual(10);
      expect(waitMs).toBeLessThanOrEqual(80);
    }
  });
});

describe('sleep', () => {
  test('ends early on an abort, before or during', async () => {
    const controller = new AbortController();
    const sleeping = sleep(3_600_000, controller.signal);
    controller.abort();
    await sleeping;
    await sleep(3_600_000, controller.signal);
  });

  test('ends by itself', async () => {
    await sleep(1);
  });
});

describe('a deadline', () => {
  test('passes on what comes in time', async () => {
    await expect(withDeadline(Promise.resolve(7), 1000, 'counting')).resolves.toBe(7);
    const failing = Promise.reject(new Error('broken'));
    await expect(withDeadline(failing, 1000, 'counting')).rejects.toThrow('broken');
  });

  test('rejects what comes too late and swallows its late failure', async () => {
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      fail = reject;
    });
    await expect(withDeadline(late, 1, 'counting')).rejects.toThrow(DeadlineError);
    fail(new Error('nobody listens'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
