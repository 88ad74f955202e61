import type { ShardId } from '@surety/domain';
import { fenceName } from '@surety/saga';
import type { Fence } from '@surety/saga';
import type { ItemBackoff } from './sweeps/item-backoff.js';
import type { RoutableSweepShard } from './sweeps/routing.js';

/**
 * Tells the other shards of each new holding before anything is done under it, so that what a paused
 * holder before it sends there is refused from then on. A shard that does not answer is told when it
 * is back; until then the first write of this holder tells it.
 */
export class Announcements {
  readonly #others: readonly RoutableSweepShard[];
  readonly #shardBackoff: ItemBackoff;
  readonly #told = new Map<ShardId, string>();

  constructor(others: readonly RoutableSweepShard[], shardBackoff: ItemBackoff) {
    this.#others = others;
    this.#shardBackoff = shardBackoff;
  }

  async make(fence: Fence): Promise<void> {
    const holding = `${fenceName(fence)}/${fence.token}`;
    const untold = this.#others.filter(({ id }) => this.#told.get(id) !== holding);
    await Promise.all(untold.map((shard) => this.#tell(shard, fence, holding)));
  }

  async #tell(shard: RoutableSweepShard, fence: Fence, holding: string): Promise<void> {
    const item = `fence/${shard.id}`;
    if (!this.#shardBackoff.isDue(item)) return;
    try {
      await shard.raiseFence(fence);
      this.#told.set(shard.id, holding);
      this.#shardBackoff.forget(item);
    } catch {
      // The sweeps meet the same shard and report it.
      this.#shardBackoff.attempted(item);
    }
  }
}
