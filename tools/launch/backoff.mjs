/** How long a process that died waits before it is started again. */

const FIRST_MS = 200;
const LONGEST_MS = 5_000;
/** A process that lived this long had started well: its next death begins a new series. */
const HEALTHY_MS = 30_000;

/**
 * @param {{ deaths: number, livedMs: number }} previous deaths in a row before this one
 * @returns {{ deaths: number, waitMs: number }}
 */
export function backoffAfterDeath({ deaths, livedMs }) {
  const inARow = livedMs >= HEALTHY_MS ? 1 : deaths + 1;
  return { deaths: inARow, waitMs: Math.min(LONGEST_MS, FIRST_MS * 2 ** (inARow - 1)) };
}
