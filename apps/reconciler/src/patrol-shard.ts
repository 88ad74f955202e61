import {
  deleteExpiredKeys,
  listDecisionPage,
  listExpiredKeys,
  listStaleBalances,
  listStaleStatuses,
  listTransfers,
  outboxDepth,
  readSweepPositions,
  repairProjections,
  writeSweepPositions,
} from '@surety/db';
import type { Session } from '@surety/db';
import type { PatrolShard } from './patrol/ports.js';

const MS_PER_SECOND = 1000;

/** A shard in MySQL as the patrol sees it. */
export function patrolShard(shard: Session): PatrolShard {
  return {
    id: shard.id,
    positions: () => readSweepPositions(shard),
    keepPositions: (positions) => writeSweepPositions(shard, positions),
    decided: (after, limit) => listDecisionPage(shard, after, limit),
    known: async (ids) => new Set((await listTransfers(shard, ids)).map(({ id }) => id)),
    staleStatuses: (after, limit) => listStaleStatuses(shard, after, limit),
    staleBalances: (after, limit) => listStaleBalances(shard, after, limit),
    repairProjections: (repair, fence) => repairProjections(shard, repair, fence),
    expiredKeys: (after, limit) => listExpiredKeys(shard, after, limit),
    removeKeys: (keys, fence) => deleteExpiredKeys(shard, keys, fence),
    outboxAgeMs: async () => (await outboxDepth(shard)).oldestAgeSeconds * MS_PER_SECOND,
  };
}
