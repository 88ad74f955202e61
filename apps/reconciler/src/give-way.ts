import { REAL_CLOCK, sleep } from '@surety/runtime';
import type { Clock } from '@surety/runtime';

/** A third of the time is work: as long as a piece took, twice as long transfers have the database. */
const REST_PER_WORK = 2;
/** Pieces take tens of milliseconds. One that took far longer waited, and says nothing about its work. */
const REST_MAX_MS = 1_000;
/** Of the interval, all rests of a run together: who is behind does not fall further behind. */
const SHARE_OF_INTERVAL = 1 / 3;

/** Told how long a piece of work took, in milliseconds; resolves when the next one may begin. */
export type GiveWay = (tookMs: number) => Promise<void>;

/** For an operator's command: somebody waits for it. */
export const AT_ONCE: GiveWay = () => Promise.resolve();

/** One of many pieces: others go first after it. */
export async function inPieces<T>(giveWay: GiveWay, piece: () => Promise<T>): Promise<T> {
  const beganAt = performance.now();
  const result = await piece();
  await giveWay(performance.now() - beganAt);
  return result;
}

export interface GivingWayOptions {
  /** Between two runs. */
  readonly intervalMs: number;
  readonly isStopping: () => boolean;
  readonly clock?: Clock;
}

/**
 * For one run of something that nobody waits for: what it reads of a minute in one go would take a
 * third of the database for ten seconds, and every transfer of these seconds would be late.
 */
export function givingWay(options: GivingWayOptions): GiveWay {
  const { intervalMs, isStopping, clock = REAL_CLOCK } = options;
  let leftMs = intervalMs * SHARE_OF_INTERVAL;
  return async (tookMs) => {
    const ms = Math.min(tookMs * REST_PER_WORK, REST_MAX_MS, leftMs);
    if (ms <= 0 || isStopping()) return;
    leftMs -= ms;
    await sleep(ms, undefined, clock);
  };
}
