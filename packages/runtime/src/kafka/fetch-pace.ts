import { sleep } from '../retry.js';

/**
 * What the events of one transfer come to at most, roughly: fetches that bring no more follow each
 * other at once, so that a transfer that comes alone waits for nobody.
 */
const SHARED_CHARACTERS = 2_000;
/**
 * A fetch that brings more is followed at a longer distance, in proportion: at full load each would
 * otherwise bring all partitions a little, and every one of those is a batch to be handled.
 */
const FULL_CHARACTERS = 22_000;
const DISTANCES_MAX = 4;
/** So many that bring more may follow each other at once. */
const AT_ONCE = 2;

/**
 * Lets fetches fall into step. Each of them names every partition, wakes the broker and costs both
 * sides half a millisecond of processor time, however little it brings, and what it brings becomes a
 * transaction: under load one in so many milliseconds brings the same in fewer of both.
 */
export class FetchPace {
  readonly #everyMs: number;
  readonly #nowMs: () => number;
  #characters = 0;
  /** Each shared fetch moves it on; the next one is due when it is near. */
  #takenUntilMs = Number.NEGATIVE_INFINITY;

  /** @param everyMs between two fetches under load, in milliseconds; 0: no pace */
  constructor(everyMs: number, nowMs: () => number = () => performance.now()) {
    this.#everyMs = everyMs;
    this.#nowMs = nowMs;
  }

  /** An answer has come: what is brought from now on, it has brought. */
  fetched(): void {
    if (this.#characters > SHARED_CHARACTERS) {
      const distances = Math.max(1, Math.min(DISTANCES_MAX, this.#characters / FULL_CHARACTERS));
      const distanceMs = distances * this.#everyMs;
      this.#takenUntilMs = Math.max(this.#takenUntilMs, this.#nowMs()) + distanceMs;
    }
    this.#characters = 0;
  }

  /** Part of what the last fetch came to, in characters. */
  brought(characters: number): void {
    this.#characters += characters;
  }

  /** Milliseconds until the next request is due. */
  get restMs(): number {
    return Math.max(0, this.#takenUntilMs - AT_ONCE * this.#everyMs - this.#nowMs());
  }

  async rest(): Promise<void> {
    const ms = this.restMs;
    if (ms > 0) await sleep(ms);
  }
}
