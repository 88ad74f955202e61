/** A third of a second on the machine of docs/performance.md. */
const ROUNDS = 250_000_000;

/** Where the results go, so that no compiler finds out that nobody wants them. */
let sink = 0;

/**
 * Milliseconds that a loop takes which touches no memory and waits for nothing: how fast this machine
 * happens to be. Machines that others share differ by half from one minute to the next, and figures of
 * two moments can only be compared by somebody who knows that. The first call warms up.
 */
export function referenceLoopMs(rounds = ROUNDS) {
  const begin = performance.now();
  let value = sink;
  for (let round = 0; round < rounds; round += 1) value = (Math.imul(value, 31) + round) | 0;
  sink = value;
  return Math.round(performance.now() - begin);
}
