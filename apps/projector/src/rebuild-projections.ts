import type { Shard } from '@surety/db';
import type { RedisHandle } from '@surety/runtime';
import { rebuildFromEvents } from './rebuild.js';
import type { RebuildOptions, RebuildSummary } from './rebuild.js';
import { RedisCopies } from './redis-copies.js';
import { rebuildStore } from './shard-adapters.js';

export interface RebuildProjectionsOptions extends Pick<RebuildOptions, 'log'> {
  /** Where given, the copies are refreshed too. */
  readonly redis?: RedisHandle;
}

/**
 * Rebuilds balances and transaction_status of these shards from their events; see rebuildFromEvents.
 * @throws StoreError where a shard is away
 */
export function rebuildProjections(
  shards: readonly Shard[],
  { log, redis }: RebuildProjectionsOptions,
): Promise<readonly RebuildSummary[]> {
  const copies = redis?.available === true ? { copies: new RedisCopies(redis) } : {};
  return rebuildFromEvents(shards.map(rebuildStore), { log, ...copies });
}
