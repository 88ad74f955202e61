import { SLOT_COUNT, shardOfSlot } from '@surety/domain';
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
export type Route = Pick<SweepContext, 'source' | 'shardOf' | 'carries'>;

interface TiedRoute extends Route {
  /** Whether the pass met rows of slots that its map gives to other shards. */
  readonly hasMetOthers: () => boolean;
}

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
 * runs once more, whether that shard is the source or a destination. The same where the source has
 * rows of slots that the map gives to others and there is a newer map: the slots may have come here,
 * and a shard on which nothing else happens would never say so. Every transaction also carries the
 * fence of the holding.
 * @throws StoreError of kind `epoch` where the newest map is not the shard's either.
 */
export async function runRouted(
  { slotMaps, shards, source, fence }: RoutedPass,
  pass: (route: Route) => Promise<void>,
): Promise<void> {
  let isDone = false;
  for (let reloads = 0; ; reloads += 1) {
    const map = slotMaps.current();
    const route = routeOf({ shards, source, fence }, map);
    const refusal = await refusalOf(pass(route));
    const isLast = reloads >= MAP_RELOADS_MAX;
    if (refusal) {
      // What was done stays done, also where a newer map does not fit yet.
      if (isDone) return;
      await slotMaps.reload();
      if (isLast) throw refusal;
      continue;
    }
    isDone = true;
    if (isLast || !route.hasMetOthers() || !(await isThereANewer(map, slotMaps))) return;
  }
}

/** Where no shard says so, the next pass asks again. */
async function isThereANewer(map: SlotMap, slotMaps: SlotMaps): Promise<boolean> {
  try {
    return (await slotMaps.reload()).epoch > map.epoch;
  } catch {
    return false;
  }
}

/** @throws whatever else the pass fails with */
async function refusalOf(pass: Promise<void>): Promise<StoreError | undefined> {
  try {
    await pass;
    return undefined;
  } catch (error) {
    if (isEpochError(error)) return error;
    throw error;
  }
}

function routeOf({ shards, source, fence }: Omit<RoutedPass, 'slotMaps'>, map: SlotMap): TiedRoute {
  const tied = shards.map(({ id, reads, store }) => ({
    ...{ id, reads },
    store: store.at(map.epoch, fence),
  }));
  const at = (id: ShardId): SweepShard => {
    const shard = tied[id];
    if (!shard) throw new RangeError(`the slot map names shard ${id}, which has no URL here`);
    return shard;
  };
  let hasMetOthers = false;
  const carries = (slot: number): boolean => {
    const isHere = slot < SLOT_COUNT && shardOfSlot(map, slot) === source;
    hasMetOthers ||= !isHere;
    return isHere;
  };
  return {
    ...{ source: at(source), shardOf: (slot: number) => at(shardOfSlot(map, slot)), carries },
    hasMetOthers: () => hasMetOthers,
  };
}
