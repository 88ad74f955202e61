import type { ShardPools } from '@surety/db';
import { kafkaHealthCheck } from '@surety/runtime';
import type { HealthCheck, HealthOptions, RedisHandle } from '@surety/runtime';
import type { IngressConfig } from './config.js';

export interface ReadinessOptions {
  readonly pools: ShardPools;
  readonly redis: RedisHandle;
  readonly config: IngressConfig;
}

/**
 * One shard that answers is enough to be of use; each is reported. Redis makes things faster and
 * Kafka is read and written by others, so both are reported and neither is needed.
 */
export function readinessChecks(
  options: ReadinessOptions,
): Pick<HealthOptions, 'checks' | 'optional'> {
  const { pools, redis, config } = options;
  const shardChecks = pools.shards.map((shard): [string, HealthCheck] => [
    `shard-${shard.id}`,
    () => pools.checkShard(shard.id),
  ]);
  const others: Record<string, HealthCheck> = {
    ...Object.fromEntries(shardChecks),
    redis: redis.check,
    kafka: kafkaHealthCheck({ brokers: config.SURETY_KAFKA_BROKERS }),
  };
  const database = async (): Promise<void> => {
    await Promise.any(shardChecks.map(([, check]) => check()));
  };
  return { checks: { database, ...others }, optional: Object.keys(others) };
}
