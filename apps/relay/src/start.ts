import { TOPIC_NAMES } from '@surety/contracts';
import { openShards } from '@surety/db';
import {
  connectRedis,
  createDoorbell,
  createPublisher,
  databaseCounters,
  openAdminServer,
  openPartitionCheck,
  startProcess,
} from '@surety/runtime';
import type { ProcessConfig, ProcessKit, RunningProcess } from '@surety/runtime';
import { readConfig } from './config.js';
import { shardLeaseRow, shardOutbox } from './shard-adapters.js';
import { LEASE_TTL_MS, ShardUnit } from './shard-unit.js';

/** Longer than one publish may take: what was sent is to be deleted before the end. */
const STOP_DEADLINE_MS = 20_000;

export interface RelayProcess extends RunningProcess {
  readonly adminPort: number;
}

/**
 * Starts the relay of all shards.
 * @throws ConfigurationError
 */
export async function start(environment: NodeJS.ProcessEnv): Promise<RelayProcess> {
  const config = readConfig(environment);
  return startProcess({ ...config, name: 'relay', stopDeadlineMs: STOP_DEADLINE_MS }, (kit) =>
    build(config, kit),
  );
}

async function build(config: ProcessConfig, kit: ProcessKit): Promise<{ adminPort: number }> {
  const { kafka, redisUrl: url, instance, partitions } = config;
  const { log, metrics, releasers } = kit;
  const pools = openShards({
    urls: config.shardUrls,
    poolSize: config.poolSize,
    partitions,
    metrics: databaseCounters(metrics),
  });
  releasers.push('pools', () => pools.close());
  const redis = connectRedis({ url, name: `${instance}-health`, log });
  releasers.push('redis', () => redis.close());
  const partitionCheck = await openPartitionCheck(kit, { config, topics: TOPIC_NAMES });
  const adminPort = await openAdminServer(kit, {
    ...{ config, redis, partitions: partitionCheck, database: () => pools.check() },
    // Without the bell the relay polls faster and misses nothing.
    optional: ['redis'],
  });
  const doorbell = createDoorbell({ url, log });
  releasers.push('doorbell', () => doorbell.close());
  const publisher = await createPublisher({ ...kafka, clientId: instance, log });
  releasers.push('publisher', () => publisher.close());
  const shared = { partitions, publisher, doorbell, metrics, log };
  const units = pools.shards.map(
    (shard) =>
      new ShardUnit({
        ...shared,
        shard: shard.id,
        outbox: shardOutbox(shard),
        lease: shardLeaseRow(shard, instance, LEASE_TTL_MS),
      }),
  );
  releasers.push('shards', async () => {
    await Promise.all(units.map((unit) => unit.stop()));
  });
  await Promise.all(units.map((unit) => unit.start()));
  log.info('relay started', { shards: config.shardUrls.length, adminPort });
  return { adminPort };
}
