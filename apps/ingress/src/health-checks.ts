import type { ShardPools } from '@surety/db';
import { kafkaHealthCheck } from '@surety/runtime';
import type { HealthCheck, HealthOptions, RedisHandle } from '@surety/runtime';
import type { IngressConfig } from './config.js';
import type { StoredCurrencies } from './stored-currencies.js';

export interface ReadinessOptions {
  readonly pools: ShardPools;
  readonly storedCurrencies: Pick<StoredCurrencies, 'compare'>;
  readonly redis: RedisHandle;
  readonly partitions: HealthCheck;
  readonly config: IngressConfig;
}

/**
 * One shard that answers is enough to be of use; each is reported. A look at its currencies is the
 * sign of life: it costs no more than any, and finds what others have written down since. Redis makes
 * things faster and Kafka is read and written by others, so both are reported and neither is needed.
 * Topics without the partitions that are written to are another matter: nobody could publish what is
 * taken in.
 */
export function readinessChecks(
  options: ReadinessOptions,
): Pick<HealthOptions, 'checks' | 'optional'> {
  const { pools, storedCurrencies, redis, partitions, config } = options;
  const shardChecks = pools.shards.map((shard): [string, HealthCheck] => [
    `shard-${shard.id}`,
    () => storedCurrencies.compare(shard.id),
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
