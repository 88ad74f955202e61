/** What the launcher tells people: one line per part, with how long it took. */

export function say(line = '') {
  process.stdout.write(`${line}\n`);
}

/** A line within a part. */
export function detail(line) {
  say(`           ${line}`);
}

/**
 * Runs one part and says its duration, or that it failed.
 * @template T
 * @param {string} label
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
export async function part(label, run) {
  const startedAt = performance.now();
  try {
    const result = await run();
    say(`[${seconds(performance.now() - startedAt)}] ${label}`);
    return result;
  } catch (error) {
    say(`[${seconds(performance.now() - startedAt)}] ${label}: failed`);
    throw error;
  }
}

const CAUSES_MAX = 10;

/**
 * What an error says, and after it what is behind it: who noticed a failure seldom knows why it is one.
 * @param {Error} error
 */
export function reasonOf(error) {
  let text = error.message;
  let cause = error.cause;
  for (let depth = 0; cause instanceof Error && depth < CAUSES_MAX; depth += 1) {
    if (!text.includes(cause.message)) text += `: ${cause.message}`;
    cause = cause.cause;
  }
  return text;
}

export const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1).padStart(6)} s`;
