import { Batcher, REAL_CLOCK, backoffMs, sleep } from '@surety/runtime';
import type { Clock } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import { ShardUnavailable } from './problem.js';
import type { ShardGate } from './shard-gate.js';

/** Bounds one transaction: beyond a few hundred requests the fsync is shared well enough. */
const GROUP_MAX = 256;
/** How often a group whose commit was not acknowledged is run again to learn what became of it. */
const UNKNOWN_OUTCOME_ATTEMPTS_MAX = 3;
const UNKNOWN_OUTCOME_BACKOFF = { minMs: 50, maxMs: 500 };

/** What keeps requests from waiting for a shard that is gone. */
export type Gate = Pick<ShardGate, 'shard' | 'isOpen' | 'run' | 'close'>;

export interface GroupCommitOptions<Item, Result> {
  readonly gate: Gate;
  readonly clock?: Clock;
  readonly queueMax: number;
  /** Default: every item weighs 1, and a group is bounded by GROUP_MAX. */
  readonly weigh?: (item: Item) => number;
  readonly groupMax?: number;
  /**
   * One transaction for all; safe to repeat as a whole, also after it was stored without an
   * acknowledgement. One result per item, in order.
   */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Told after each commit. */
  readonly committed: (results: readonly Result[]) => void;
}

type Settled<Result> =
  { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly error: unknown };

/**
 * Writes of one kind to one shard: what gathers while one transaction runs goes into the next one.
 * One item that cannot be stored does not take its neighbours along: the group is halved until the
 * culprit is alone.
 */
export class GroupCommit<Item, Result> {
  private readonly options: GroupCommitOptions<Item, Result>;
  private readonly clock: Clock;
  private readonly batcher: Batcher<Item, Settled<Result>>;

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.options = options;
    this.clock = options.clock ?? REAL_CLOCK;
    this.batcher = new Batcher<Item, Settled<Result>>({
      weightMax: options.groupMax ?? GROUP_MAX,
      queueMax: options.queueMax,
      clock: this.clock,
      ...(options.weigh === undefined ? {} : { weigh: options.weigh }),
      run: (items) => this.settle(items),
    });
  }

  get depth(): number {
    return this.batcher.depth;
  }

  /** @throws ShardUnavailable, QueueFullError, BatcherStoppedError, StoreError (epoch, data) */
  async submit(item: Item): Promise<Result> {
    // Refused at the door: a queue in front of a dead shard only keeps clients waiting.
    if (this.options.gate.isOpen) throw new ShardUnavailable(this.options.gate.shard);
    const settled = await this.batcher.submit(item);
    if (settled.ok) return settled.result;
    throw settled.error;
  }

  /** Takes nothing more and resolves when everything taken is settled. */
  stop(): Promise<void> {
    return this.batcher.stop();
  }

  private async settle(items: readonly Item[]): Promise<readonly Settled<Result>[]> {
    try {
      const results = await this.runUntilKnown(items);
      this.options.committed(results);
      return results.map((result) => ({ ok: true, result }));
    } catch (error) {
      if (items.length === 1 || !isFaultOfOneItem(error)) {
        return items.map(() => ({ ok: false, error }));
      }
      const middle = items.length >>> 1;
      const first = await this.settle(items.slice(0, middle));
      const second = await this.settle(items.slice(middle));
      return [...first, ...second];
    }
  }

  /** A group that was stored without an acknowledgement finds its own rows when it runs again. */
  private async runUntilKnown(items: readonly Item[]): Promise<readonly Result[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.options.gate.run(() => this.options.run(items));
      } catch (error) {
        const isUnknown = error instanceof StoreError && error.outcomeUnknown;
        if (!isUnknown || attempt >= UNKNOWN_OUTCOME_ATTEMPTS_MAX) throw error;
        const { random } = this.clock;
        const pauseMs = backoffMs(attempt - 1, { ...UNKNOWN_OUTCOME_BACKOFF, random });
        await sleep(pauseMs, undefined, this.clock);
      }
    }
  }
}

/** Everything but a failing environment and an outdated map may lie in a single item. */
function isFaultOfOneItem(error: unknown): boolean {
  if (error instanceof ShardUnavailable) return false;
  return !(error instanceof StoreError) || error.kind === 'data';
}
