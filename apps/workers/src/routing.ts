import type { Envelope } from '@surety/contracts';
import { shardOfSlot } from '@surety/domain';
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
