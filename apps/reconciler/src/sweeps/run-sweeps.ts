import type { PassContext, SweepContext, SweepCursor } from './context.js';
import { sweepOpenTransfers } from './open-transfers.js';
import { sweepOrphanedHolds } from './orphaned-holds.js';
import type { HoldCursor, OpenTransferCursor } from './ports.js';
import { isEpochError, isFencedError } from './routing.js';

/**
 * The sweeps of one shard. Remembers where each of them has to go on: a pass that began at the head
 * every time would never get past a bounded number of rows that cannot be repaired for now.
 */
export class ShardSweeps {
  readonly #holds: SweepCursor<HoldCursor> = { after: undefined };
  readonly #openTransfers: SweepCursor<OpenTransferCursor> = { after: undefined };

  /** Whether the last pass ended before the end of its lists; the next one goes on there. */
  get hasMore(): boolean {
    return this.#holds.after !== undefined || this.#openTransfers.after !== undefined;
  }

  /**
   * One pass of all sweeps. One that fails does not keep the others from running, except where the
   * lease has a newer holder.
   * @throws StoreError of kind `fenced` as soon as that is known; of kind `epoch` where any shard was routed to with another map than its own;
   * else the first failure, which then is one of the source's own shard.
   */
  async run(context: SweepContext): Promise<void> {
    const pass: PassContext = { ...context, staleRoutes: new Map() };
    const results = [
      await outcomeOf(sweepOrphanedHolds(pass, this.#holds)),
      await outcomeOf(sweepOpenTransfers(pass, this.#openTransfers)),
    ];
    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    const stale = failures.find(isEpochError) ?? [...pass.staleRoutes.values()][0];
    if (stale) throw stale;
    if (failures.length > 0) throw failures[0];
  }
}

/** @throws StoreError of kind `fenced` */
async function outcomeOf(sweep: Promise<void>): Promise<PromiseSettledResult<void>> {
  const [result] = await Promise.allSettled([sweep]);
  if (result.status === 'rejected' && isFencedError(result.reason)) throw result.reason;
  return result;
}
