import { shardOfSlot } from '@surety/domain';
import type { ShardId, SlotMap } from '@surety/domain';
import { StoreError } from '@surety/saga';
import type { Fence, RoutableStore, SlotMaps } from '@surety/saga';
import type { SweepContext } from './context.js';
import type { SweepShard } from './ports.js';

/** A shard whose work can be tied to the map that it was routed with. */
export interface RoutableSweepShard extends SweepShard {
  readonly store: RoutableStore;
  /** Makes a new holding of another shard's lease known here, before its first work. */
  raiseFence(fence: Fence): Promise<void>;
  /**
   * Moves the end of the list of open transfers on, over so many of them.
   * @returns whether there may be more to move over
   */
  moveListEnd(rows: number, fence: Fence): Promise<boolean>;
}

/** Where the work of one pass goes. */
export type Route = Pick<SweepContext, 'source' | 'shardOf'>;

/**
 * New maps taken within one pass. A shard that disagrees with the newest map as well, in the middle
 * of a change, fails the pass, and the loop waits before the next one.
 */
export const MAP_RELOADS_MAX = 1;

/** The shard's own map is another than the one that the work was routed with. */
export function isEpochError(error: unknown): error is StoreError {
  return error instanceof StoreError && error.kind === 'epoch';
}

/** The lease that the pass runs under has a newer holder: nothing was written, nothing more is. */
export function isFencedError(error: unknown): error is StoreError {
  return error instanceof StoreError && error.kind === 'fenced';
}

export interface RoutedPass {
  readonly slotMaps: SlotMaps;
  readonly shards: readonly RoutableSweepShard[];
  readonly source: ShardId;
  /** The holding that the pass runs under; none for an operator's command, which takes no lease. */
  readonly fence?: Fence | undefined;
}

/**
 * Runs a pass whose every transaction compares the epoch of the one map that the pass was routed
 * with: a map that another loop reloads meanwhile must not let a void land on a shard that has given
 * its slot away. Where a shard answers that its map is another, the map is read again and the pass
 * runs once more, whether that shard is the source or a destination. Every transaction also carries
 * the fence of the holding.
 * @throws StoreError of kind `epoch` where the newest map is not the shard's either.
 */
export async function runRouted(
  { slotMaps, shards, source, fence }: RoutedPass,
  pass: (route: Route) => Promise<void>,
): Promise<void> {
  for (let reloads = 0; ; reloads += 1) {
    try {
      await pass(routeOf({ shards, source, fence }, slotMaps.current()));
      return;
    } catch (error) {
      if (!isEpochError(error)) throw error;
      await slotMaps.reload();
      if (reloads >= MAP_RELOADS_MAX) throw error;
    }
  }
}

function routeOf({ shards, source, fence }: Omit<RoutedPass, 'slotMaps'>, map: SlotMap): Route {
  const tied = shards.map(({ id, reads, store }) => ({
    ...{ id, reads },
    store: store.at(map.epoch, fence),
  }));
  const at = (id: ShardId): SweepShard => {
    const shard = tied[id];
    if (!shard) throw new RangeError(`the slot map names shard ${id}, which has no URL here`);
    return shard;
  };
  return { source: at(source), shardOf: (slot) => at(shardOfSlot(map, slot)) };
}
