import { REAL_CLOCK } from './clock.js';
import type { Clock } from './clock.js';

export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

export class BatcherStoppedError extends Error {
  override readonly name = 'BatcherStoppedError';
}

/**
 * Under load batches grow, where runs as fast as they can be would each cost as much for less; who
 * comes alone, or after a rest, waits for nobody. A full batch does not rest, nor does a stop.
 */
export interface Pace {
  /** Least time between the beginning of a run and that of the next one, in milliseconds. */
  readonly ms: number;
  /** Only a run of at least this weight is followed by a rest: more than one alone weighs. */
  readonly fromWeight: number;
}

export interface BatcherOptions<Item, Result> {
  /** Bound on the summed weight of one run: without it a backlog turns into one endless transaction. */
  readonly weightMax: number;
  /** Bound on items that wait; beyond it the caller is told, instead of memory growing. */
  readonly queueMax: number;
  /** Default: every item weighs 1. */
  readonly weigh?: (item: Item) => number;
  /** Default: runs follow each other as fast as they can. */
  readonly pace?: Pace;
  readonly clock?: Clock;
  /** Gives one result per item, in order. A rejection is the outcome of every item of the batch. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly weight: number;
  readonly submittedAtMs: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Below this many taken entries at the front, moving the rest is not worth it. */
const COMPACT_FROM = 1024;

/**
 * Gathers what arrives while the last batch runs into the next one. One run at a time.
 *
 * It is idle, gathering or running. A submit takes it from idle to gathering, which lasts until the
 * event loop has handed over what it had read already (one `setImmediate`, no timer: a lone item
 * waits for nobody), and for as long as the pace asks. Then a batch is cut from the front of the
 * queue and runs; when that ends it gathers again if anything waits, else it is idle.
 */
export class Batcher<Item, Result> {
  private readonly options: BatcherOptions<Item, Result>;
  private readonly clock: Clock;
  private queue: Entry<Item, Result>[] = [];
  /** Entries of `queue` before this index are taken: shifting an array costs its length each time. */
  private head = 0;
  /** Of all that wait. */
  private waitingWeight = 0;
  /** While the next run rests: begins it now. */
  private endRest: (() => void) | undefined;
  private isHurried = false;
  private inFlight: readonly Entry<Item, Result>[] = [];
  private isActive = false;
  /** When the run began that the next one keeps its distance from. */
  private pacedRunAtMs = Number.NEGATIVE_INFINITY;
  private isStopped = false;
  private idleWaiters: (() => void)[] = [];

  constructor(options: BatcherOptions<Item, Result>) {
    this.options = options;
    this.clock = options.clock ?? REAL_CLOCK;
  }

  /** How many items wait, without those that run. */
  get depth(): number {
    return this.queue.length - this.head;
  }

  /** How long ago the oldest item without a result was submitted. 0 when there is none. */
  oldestAgeMs(): number {
    const oldest = this.inFlight[0] ?? this.queue[this.head];
    return oldest === undefined ? 0 : this.clock.nowMs() - oldest.submittedAtMs;
  }

  /**
   * Resolves with the result of the item's batch.
   * @throws QueueFullError when as many items as allowed already wait; the item was not taken.
   * @throws BatcherStoppedError after stop; the item was not taken.
   */
  submit(item: Item): Promise<Result> {
    if (this.isStopped) {
      return Promise.reject(new BatcherStoppedError('the batcher has stopped'));
    }
    if (this.depth >= this.options.queueMax) {
      return Promise.reject(new QueueFullError(`${this.options.queueMax} items already wait`));
    }
    return new Promise<Result>((resolve, reject) => {
      const weight = this.options.weigh?.(item) ?? 1;
      this.queue.push({ item, weight, submittedAtMs: this.clock.nowMs(), resolve, reject });
      this.waitingWeight += weight;
      if (this.isFull) this.endRest?.();
      this.activate();
    });
  }

  /** All that waits runs without a rest: now, or as soon as the run of this moment has ended. */
  hurry(): void {
    if (this.depth === 0) return;
    this.isHurried = true;
    this.endRest?.();
  }

  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void> {
    return this.isActive
      ? new Promise((resolve) => this.idleWaiters.push(resolve))
      : Promise.resolve();
  }

  /** Takes no more items and resolves when those that were taken have their results. */
  stop(): Promise<void> {
    this.isStopped = true;
    this.endRest?.();
    return this.idle();
  }

  private activate(): void {
    if (!this.isActive) {
      this.isActive = true;
      this.gather();
    }
  }

  private get isFull(): boolean {
    return this.waitingWeight >= this.options.weightMax;
  }

  private gather(): void {
    const { pace } = this.options;
    const restMs = pace ? this.pacedRunAtMs + pace.ms - this.clock.nowMs() : 0;
    const run = (): void => void this.runNext();
    const waitsForNobody = this.isFull || this.isHurried || this.isStopped;
    if (restMs > 0 && !waitsForNobody) this.restFor(restMs, run);
    else this.clock.soon(run);
  }

  private restFor(ms: number, run: () => void): void {
    const forget = this.clock.after(ms, () => {
      this.endRest = undefined;
      run();
    });
    this.endRest = () => {
      this.endRest = undefined;
      forget();
      this.clock.soon(run);
    };
  }

  private isPaced(batch: readonly Entry<Item, Result>[]): boolean {
    const { pace } = this.options;
    if (pace === undefined) return false;
    return batch.reduce((sum, entry) => sum + entry.weight, 0) >= pace.fromWeight;
  }

  private async runNext(): Promise<void> {
    const batch = this.takeBatch();
    this.pacedRunAtMs = this.isPaced(batch) ? this.clock.nowMs() : Number.NEGATIVE_INFINITY;
    this.inFlight = batch;
    await this.settle(batch);
    this.inFlight = [];
    if (this.depth > 0) {
      // Those who just got their results may submit again: let them in before the cut.
      this.gather();
      return;
    }
    this.isActive = false;
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    waiters.forEach((resolve) => {
      resolve();
    });
  }

  private async settle(batch: readonly Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await this.options.run(batch.map((entry) => entry.item));
      if (results.length !== batch.length) {
        throw new Error(`a batch of ${batch.length} items gave ${results.length} results`);
      }
      batch.forEach((entry, index) => {
        entry.resolve(results[index] as Result);
      });
    } catch (error) {
      batch.forEach((entry) => {
        entry.reject(error);
      });
    }
  }

  /** The front of the queue up to the weight bound; at least one item, however heavy. */
  private takeBatch(): readonly Entry<Item, Result>[] {
    let end = this.head;
    let weight = 0;
    for (let entry = this.queue[end]; entry !== undefined; entry = this.queue[end]) {
      weight += entry.weight;
      if (weight > this.options.weightMax && end > this.head) {
        break;
      }
      end += 1;
    }
    const batch = this.queue.slice(this.head, end);
    this.waitingWeight -= batch.reduce((sum, entry) => sum + entry.weight, 0);
    this.head = end;
    this.isHurried &&= this.depth > 0;
    this.compact();
    return batch;
  }

  private compact(): void {
    if (this.head === this.queue.length) {
      this.queue = [];
      this.head = 0;
    } else if (this.head >= COMPACT_FROM && this.head * 2 >= this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
  }
}
