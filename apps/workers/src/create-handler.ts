import type { ShardPools } from '@surety/db';
import type { ShardId } from '@surety/domain';
import type { Doorbell, Logger, Metrics } from '@surety/runtime';
import type { WorkersConfig } from './config.js';
import type { DeadLetters } from './dead-letters.js';
import { MessageHandler } from './message-handler.js';
import { shardDeadLetters } from './shard-adapters.js';
import { StepRunner } from './step-runner.js';

export type HandlerConfig = Pick<
  WorkersConfig,
  'steps' | 'chainsLocally' | 'holdTimeoutMs' | 'partitions'
>;

export interface HandlerMeans {
  readonly pools: ShardPools;
  readonly doorbell: Doorbell;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface StoppableHandler {
  readonly handler: MessageHandler;
  /** Takes nothing more and resolves when what was taken is committed or failed. */
  readonly stop: () => Promise<void>;
}

/** One runner for each shard behind one handler for all partitions. */
export function createHandler(config: HandlerConfig, means: HandlerMeans): StoppableHandler {
  const { pools, doorbell, metrics, log } = means;
  const { slotMaps } = pools;
  const deadLetters = new Map(pools.shards.map((shard) => [shard.id, shardDeadLetters(shard)]));
  const deadLettersOf = (shard: ShardId): DeadLetters => {
    const letters = deadLetters.get(shard);
    if (!letters) throw new RangeError(`there is no shard ${shard}`);
    return letters;
  };
  const { steps, chainsLocally, holdTimeoutMs, partitions } = config;
  const step = { holdTimeoutMs, actor: 'saga' };
  const runners = new Map(
    pools.shards.map((shard) => {
      const shared = { slotMaps, doorbell, metrics, log, step, chainsLocally };
      const { id, store } = shard;
      return [id, new StepRunner({ ...shared, store, deadLetters: deadLettersOf(id) })];
    }),
  );
  return {
    handler: new MessageHandler({
      ...{ steps, partitions, slotMaps, runners, deadLettersOf, metrics, log },
    }),
    stop: async () => {
      await Promise.all(Array.from(runners.values(), (runner) => runner.stop()));
    },
  };
}
