/**
 * Where time and chance come from. What waits or draws takes one, so that the same code runs on a
 * machine and on virtual time, where one seed is the whole history.
 */
export interface Clock {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Runs once after `ms`; the result forgets it. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** Runs once, as soon as what has arrived already was handed over. No timer. */
  readonly soon: (run: () => void) => void;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
}

export const REAL_CLOCK: Clock = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
  soon: (run) => {
    setImmediate(run);
  },
  random: () => Math.random(),
};
