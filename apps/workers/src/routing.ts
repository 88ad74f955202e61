import { PARTITION_COUNT } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { SLOT_COUNT, shardOfSlot } from '@surety/domain';
import type { ShardId, SlotMap } from '@surety/domain';
import { actingSlot } from '@surety/saga';

/** Events by the shard that acts on them, each group in the order of arrival. */
export function byActingShard(
  map: SlotMap,
  events: readonly Envelope[],
): ReadonlyMap<ShardId, readonly Envelope[]> {
  const groups = new Map<ShardId, Envelope[]>();
  for (const event of events) {
    const shard = shardOfSlot(map, actingSlot(event));
    const group = groups.get(shard);
    if (group) group.push(event);
    else groups.set(shard, [event]);
  }
  return groups;
}

/** The first slot of a partition's range: where a message goes that says nothing readable itself. */
export function firstSlotOfPartition(partition: number): number {
  return Math.ceil((partition * SLOT_COUNT) / PARTITION_COUNT);
}
