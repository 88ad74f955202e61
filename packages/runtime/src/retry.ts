import { REAL_CLOCK } from './clock.js';
import type { Clock } from './clock.js';

export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
  /** A number from 0 up to, not including, 1. */
  readonly random?: () => number;
}

/** 2^30 times anything is beyond every cap; more would only overflow. */
const EXPONENT_MAX = 30;

/**
 * How long to wait before attempt number `attempt` (0 is the first retry): anything between `minMs`
 * and a ceiling that doubles up to `maxMs`. Full jitter, so that those who failed together do not
 * come back together.
 */
export function backoffMs(attempt: number, options: BackoffOptions): number {
  const { minMs, maxMs, random = REAL_CLOCK.random } = options;
  const exponent = Math.min(Math.max(0, attempt), EXPONENT_MAX);
  const ceilingMs = Math.max(minMs, Math.min(maxMs, minMs * 2 ** (exponent + 1)));
  return Math.round(minMs + random() * (ceilingMs - minMs));
}

/** Resolves after `ms`, or as soon as `signal` aborts; never rejects. */
export function sleep(ms: number, signal?: AbortSignal, clock: Clock = REAL_CLOCK): Promise<void> {
  if (signal?.aborted === true) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const finish = (): void => {
      forget();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const forget = clock.after(ms, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Thrown by `withDeadline` when time is over; the work itself goes on unseen. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** Settles like `work`, or rejects with DeadlineError after `ms`. A late rejection is swallowed. */
export function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new DeadlineError(`${what} took longer than ${ms} ms`));
    }, ms);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
