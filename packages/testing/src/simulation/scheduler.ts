interface Due {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

const LOOP_EVERY = 1_000;

/**
 * Virtual time. Nothing happens but what was scheduled, one thing after the other; all code that one
 * of them sets going runs to its next wait before the next one begins. With every delay drawn from
 * one seed, that seed is the whole history.
 */
export class Scheduler {
  nowMs: number;
  /** Things that have happened. */
  happened = 0;
  readonly #heap: Due[] = [];
  #order = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  /** The result forgets it. */
  after(delayMs: number, run: () => void): () => void {
    const due: Due = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order, run };
    this.#order += 1;
    this.#push(due);
    return () => {
      due.run = undefined;
    };
  }

  /** True when `isDone` came true, false where virtual time ran out before. */
  async runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    while (!isDone()) {
      const next = this.#heap[0];
      if (!next || next.atMs > limitMs) return false;
      this.#pop();
      if (!next.run) continue;
      this.nowMs = next.atMs;
      this.happened += 1;
      next.run();
      await this.#everythingWaits();
    }
    return true;
  }

  /**
   * Everything that now can go on goes on to its next wait: a tick comes when no promise is left to
   * settle. Now and then the event loop has its turn, for whoever watches the simulation.
   */
  #everythingWaits(): Promise<void> {
    return new Promise((resolve) => {
      if (this.happened % LOOP_EVERY === 0) setImmediate(resolve);
      else process.nextTick(resolve);
    });
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(due, heap[parent] as Due)) break;
      heap[at] = heap[parent] as Due;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Due)) child += 1;
      if (!isBefore(heap[child] as Due, last)) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
