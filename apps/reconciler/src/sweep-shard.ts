import {
  listDecisions,
  listExpiredHolds,
  listOpenTransfers,
  moveListEnd,
  outboxDepth,
  raiseFence,
  readEvents,
} from '@surety/db';
import type { Shard } from '@surety/db';
import type { RoutableSweepShard } from './sweeps/routing.js';

const MS_PER_SECOND = 1000;

/** A transfer that is not stuck has ended by then, and is never in the list. */
const LIST_KEEP_MS = 10_000;

/** A shard in MySQL as the sweeps see it. */
export function sweepShard(shard: Shard): RoutableSweepShard {
  return {
    id: shard.id,
    store: shard.store,
    raiseFence: (fence) => raiseFence(shard, fence),
    moveListEnd: (rows, fence) => moveListEnd(shard, { rows, keepMs: LIST_KEEP_MS }, fence),
    reads: {
      expiredHolds: (after, limit) => listExpiredHolds(shard, limit, after),
      openTransfers: (olderThanMs, after, limit) =>
        listOpenTransfers(shard, olderThanMs, after, limit),
      decisions: async (ids) => {
        const rows = await listDecisions(shard, ids);
        return new Map(rows.map((row) => [row.transferId, row]));
      },
      events: (refs) => readEvents(shard, refs),
      outboxAgeMs: async () => (await outboxDepth(shard)).oldestAgeSeconds * MS_PER_SECOND,
    },
  };
}
