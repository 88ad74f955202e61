/** A consumer that neither fetched nor sent a heartbeat for so long is stuck inside the library. */
const SILENCE_MAX_MS = 30_000;
/**
 * A consumer without work in hand asks the broker every second. Where its answers stop while its
 * heartbeats go on, a connection is half open: the library would wait for it time after time (90 s
 * were seen), and nobody reads these partitions meanwhile.
 */
const FETCH_SILENCE_MAX_MS = 12_000;
/** A tick that comes so late says that the whole process slept, or the machine did. */
const SLEPT_MS = 6_000;

/** Tells a consumer that is stuck from one that is idle or at work. Times are monotonic milliseconds. */
export class SilenceWatch {
  readonly #nowMs: () => number;
  #lastSignAt: number;
  #lastFetchAt: number;
  #lastTickAt: number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#lastSignAt = nowMs();
    this.#lastFetchAt = this.#lastSignAt;
    this.#lastTickAt = this.#lastSignAt;
  }

  /** It begins, joined the group, or slept: everything counts from here. */
  restart(): void {
    this.#lastSignAt = this.#nowMs();
    this.#lastFetchAt = this.#lastSignAt;
    this.#lastTickAt = this.#lastSignAt;
  }

  fetched(): void {
    this.#lastSignAt = this.#nowMs();
    this.#lastFetchAt = this.#lastSignAt;
  }

  heartbeat(): void {
    this.#lastSignAt = this.#nowMs();
  }

  /**
   * Called again and again.
   * @param mustFetch whether answers of the broker are due: it owns partitions and is not at work
   * @returns why it counts as stuck, or undefined
   */
  complaint(mustFetch: boolean): string | undefined {
    const now = this.#nowMs();
    if (now - this.#lastTickAt > SLEPT_MS) this.restart();
    this.#lastTickAt = now;
    if (!mustFetch) this.#lastFetchAt = now;
    if (now - this.#lastSignAt > SILENCE_MAX_MS) return `no sign of life for ${SILENCE_MAX_MS} ms`;
    if (now - this.#lastFetchAt > FETCH_SILENCE_MAX_MS) {
      return `no fetch was answered for ${FETCH_SILENCE_MAX_MS} ms`;
    }
    return undefined;
  }
}
