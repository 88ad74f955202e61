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

export const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1).padStart(6)} s`;
