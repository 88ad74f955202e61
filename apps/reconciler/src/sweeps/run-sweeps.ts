import type { SweepContext } from './context.js';
import { sweepOpenTransfers } from './open-transfers.js';
import { sweepOrphanedHolds } from './orphaned-holds.js';
import type { OpenTransferCursor } from './ports.js';

/** The sweeps of one shard. Remembers where a pass that was cut short has to go on. */
export class ShardSweeps {
  #from: OpenTransferCursor | undefined;

  /**
   * One pass of all sweeps. One that fails does not keep the others from running.
   * @throws the first failure, which then is one of the source's own shard.
   */
  async run(context: SweepContext): Promise<void> {
    const results = [
      await outcomeOf(sweepOrphanedHolds(context)),
      await outcomeOf(
        sweepOpenTransfers(context, this.#from).then((next) => {
          this.#from = next;
        }),
      ),
    ];
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
    }
  }
}

async function outcomeOf(sweep: Promise<void>): Promise<PromiseSettledResult<void>> {
  const [result] = await Promise.allSettled([sweep]);
  return result;
}
