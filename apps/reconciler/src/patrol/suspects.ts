export interface SuspectsOptions {
  /** How long something must have looked wrong before it counts. */
  readonly ageMs: number;
  /** Bound of the memory; beyond it the one that was seen first is forgotten. */
  readonly itemsMax: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/**
 * What looked wrong once may only be on its way. It counts when it looks wrong again after a while:
 * by the time between two looks of this process, so that no two clocks are compared.
 */
export class Suspects<Item> {
  readonly #options: SuspectsOptions;
  readonly #items = new Map<string, { readonly item: Item; readonly sinceMs: number }>();

  constructor(options: SuspectsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#items.size;
  }

  /** @returns whether it has looked wrong for long enough. */
  seen(key: string, item: Item): boolean {
    const { ageMs, itemsMax, nowMs } = this.#options;
    const sinceMs = this.#items.get(key)?.sinceMs ?? nowMs();
    this.#items.set(key, { item, sinceMs });
    if (this.#items.size > itemsMax) {
      const oldest = this.#items.keys().next();
      if (!oldest.done) this.#items.delete(oldest.value);
    }
    return nowMs() - sinceMs >= ageMs;
  }

  /** Those whose time has come, to be looked at once more. */
  due(limit: number): readonly Item[] {
    const { ageMs, nowMs } = this.#options;
    const due: Item[] = [];
    for (const { item, sinceMs } of this.#items.values()) {
      if (due.length < limit && nowMs() - sinceMs >= ageMs) due.push(item);
    }
    return due;
  }

  forget(key: string): void {
    this.#items.delete(key);
  }
}
