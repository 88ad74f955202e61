import type { ShardPools } from '@surety/db';
import { kafkaHealthCheck } from '@surety/runtime';
import type { HealthCheck, HealthOptions, RedisHandle } from '@surety/runtime';
import type { IngressConfig } from './config.js';

export interface ReadinessOptions {
  readonly pools: ShardPools;
  readonly redis: RedisHandle;
  readonly partitions: HealthCheck;
  readonly config: IngressConfig;
}

/**
 * One shard that answers is enough to be of use; each is reported. Redis makes things faster and
 * Kafka is read and written by others, so both are reported and neither is needed. Topics without the
 * partitions that are written to are another matter: nobody could publish what is taken in.
 */
export function readinessChecks(
  options: ReadinessOptions,
): Pick<HealthOptions, 'checks' | 'optional'> {
  const { pools, redis, partitions, config } = options;
  const shardChecks = pools.shards.map((shard): [string, HealthCheck] => [
    `shard-${shard.id}`,
    () => pools.checkShard(shard.id),
  ]);
  const others: Record<string, HealthCheck> = {
    ...Object.fromEntries(shardChecks),
    redis: redis.check,
    kafka: kafkaHealthCheck(config.kafka),
  };
  const database = async (): Promise<void> => {
    await Promise.any(shardChecks.map(([, check]) => check()));
  };
  return { checks: { database, partitions, ...others }, optional: Object.keys(others) };
}
