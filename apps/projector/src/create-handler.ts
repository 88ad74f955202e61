import type { ShardPools } from '@surety/db';
import type { Doorbell, Logger, Metrics, RedisHandle } from '@surety/runtime';
import { MessageHandler } from './message-handler.js';
import type { MessageHandlerOptions } from './message-handler.js';
import { RedisCopies } from './redis-copies.js';
import { buryMessage, projectionStore } from './shard-adapters.js';
import { ShardProjection } from './shard-projection.js';

export interface HandlerMeans {
  /** Of each topic, as they are written to. */
  readonly partitions: number;
  readonly pools: ShardPools;
  readonly redis: RedisHandle;
  readonly doorbell: Doorbell;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface StoppableHandler {
  readonly handler: MessageHandler;
  /** What gathers for the tables is written now. */
  readonly hurry: () => void;
  /** Takes nothing more and resolves when what was taken is written or failed. */
  readonly stop: () => Promise<void>;
}

/** The projections of each shard behind one handler for all partitions. */
export function createHandler(means: HandlerMeans): StoppableHandler {
  const { partitions, pools, redis, doorbell, metrics, log } = means;
  const copies = new RedisCopies(redis);
  const projections = new Map(
    pools.shards.map((shard) => {
      const store = projectionStore(shard);
      return [shard.id, new ShardProjection({ store, copies, doorbell, metrics, log })];
    }),
  );
  const currentMap = () => pools.slotMaps.current();
  const bury: MessageHandlerOptions['bury'] = async (shard, message) => {
    const session = pools.shards[shard];
    if (!session) throw new RangeError(`there is no shard ${shard}`);
    await buryMessage(session, message);
  };
  return {
    handler: new MessageHandler({ currentMap, partitions, projections, bury, metrics, log }),
    hurry: () => {
      for (const projection of projections.values()) projection.hurry();
    },
    stop: async () => {
      await Promise.all(Array.from(projections.values(), (projection) => projection.stop()));
    },
  };
}
