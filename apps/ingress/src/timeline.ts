import type { TimelineEntry } from '@surety/contracts';
import type { ShardId } from '@surety/domain';
import { shownDataOf } from '@surety/saga';
import type { EventRow, ShownData } from '@surety/saga';

/** The events that one shard has of a transfer. */
export interface ShardEvents {
  readonly shard: ShardId;
  readonly events: readonly EventRow[];
}

/** One history out of those of both shards. Steps order it: the shards' clocks need not agree. */
export function mergeTimelines(
  parts: readonly ShardEvents[],
  dataOf: (event: EventRow) => ShownData | undefined = shownDataOf,
): TimelineEntry[] {
  return parts
    .flatMap(({ shard, events }) =>
      events.map((event) => entryOf(event, shard, dataOf(event)?.reason)),
    )
    .sort((left, right) => left.step - right.step);
}

function entryOf(event: EventRow, shard: ShardId, reason: ShownData['reason']): TimelineEntry {
  return {
    step: event.step,
    event: event.type,
    at: event.occurredAt,
    shard,
    ...(reason === undefined ? {} : { reason }),
  };
}
