export interface ItemBackoffOptions {
  /** Pause after the first attempt; each further attempt doubles it. */
  readonly firstMs: number;
  /**
   * From 0 to below 1: prolongs each pause by up to a fifth, so that what began to stand still
   * together does not come back together for ever. Left out, pauses are exact.
   */
  readonly random?: () => number;
  readonly maxMs: number;
  /** Bound of the memory: beyond it the item that was tried longest ago is forgotten. */
  readonly itemsMax: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

interface Attempts {
  readonly count: number;
  readonly dueAt: number;
}

const EXPONENT_MAX = 30;
const JITTER_SHARE = 0.2;

/**
 * Remembers what was tried, so that the same repair is not tried again at every sweep. It lives in
 * memory: forgetting, by a restart or by the bound, costs a repetition that changes nothing.
 */
export class ItemBackoff {
  readonly #options: ItemBackoffOptions;
  /** In the order of the last attempt: the first one is the oldest. */
  readonly #items = new Map<string, Attempts>();

  constructor(options: ItemBackoffOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#items.size;
  }

  isDue(item: string): boolean {
    const attempts = this.#items.get(item);
    return attempts === undefined || attempts.dueAt <= this.#options.now();
  }

  attempted(item: string): void {
    const { firstMs, maxMs, now, random } = this.#options;
    const count = this.#items.get(item)?.count ?? 0;
    const exactMs = Math.min(maxMs, firstMs * 2 ** Math.min(count, EXPONENT_MAX));
    const pauseMs = exactMs * (1 + JITTER_SHARE * (random?.() ?? 0));
    this.#remember(item, { count: count + 1, dueAt: now() + pauseMs });
  }

  /** Puts off what was looked at and found too early: no attempt, so the next pause is no longer. */
  postponed(item: string, pauseMs: number): void {
    const count = this.#items.get(item)?.count ?? 0;
    this.#remember(item, { count, dueAt: this.#options.now() + pauseMs });
  }

  /** What worked out begins afresh the next time. */
  forget(item: string): void {
    this.#items.delete(item);
  }

  #remember(item: string, attempts: Attempts): void {
    this.#items.delete(item);
    this.#items.set(item, attempts);
    if (this.#items.size <= this.#options.itemsMax) return;
    const oldest = this.#items.keys().next();
    if (!oldest.done) this.#items.delete(oldest.value);
  }
}
