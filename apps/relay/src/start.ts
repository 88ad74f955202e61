import { openShards } from '@surety/db';
import {
  Releasers,
  connectRedis,
  createDoorbell,
  createLogger,
  createMetrics,
  createPublisher,
  databaseCounters,
  kafkaHealthCheck,
  startAdminServer,
} from '@surety/runtime';
import type { Logger, Metrics, ProcessConfig, RunningProcess } from '@surety/runtime';
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
  const { instance, logLevel: level } = config;
  const log = createLogger({ process: 'relay', instance, level });
  const metrics = createMetrics('relay');
  const releasers = new Releasers();
  let isStopping = false;
  let stopped: Promise<void> | undefined;
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const stop = (): Promise<void> => {
    isStopping = true;
    stopped ??= releasers.releaseAll(STOP_DEADLINE_MS, log).then(() => {
      finish();
    });
    return stopped;
  };
  try {
    const adminPort = await build({
      config,
      log,
      metrics,
      releasers,
      isStopping: () => isStopping,
    });
    log.info('relay started', { shards: config.shardUrls.length, adminPort });
    return { done, stop, adminPort };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Parts {
  readonly config: ProcessConfig;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly releasers: Releasers;
  readonly isStopping: () => boolean;
}

/** Each dependency pushes its release. Returns the admin server's port. */
async function build({ config, log, metrics, releasers, isStopping }: Parts): Promise<number> {
  const { kafkaBrokers: brokers, redisUrl: url, instance } = config;
  const pools = openShards({
    urls: config.shardUrls,
    poolSize: config.poolSize,
    metrics: databaseCounters(metrics),
  });
  releasers.push('pools', () => pools.close());
  const redis = connectRedis({ url, name: `${instance}-health`, log });
  releasers.push('redis', () => redis.close());
  const admin = await startAdminServer({
    host: config.host,
    port: config.adminPort,
    checks: {
      database: () => pools.check(),
      kafka: kafkaHealthCheck({ brokers }),
      redis: redis.check,
    },
    // Without the bell the relay polls faster and misses nothing.
    optional: ['redis'],
    metrics,
    isStopping,
  });
  releasers.push('admin server', () => admin.close());
  const doorbell = createDoorbell({ url, log });
  releasers.push('doorbell', () => doorbell.close());
  const publisher = await createPublisher({ brokers, clientId: instance, log });
  releasers.push('publisher', () => publisher.close());
  const shared = { publisher, doorbell, isBellAvailable: () => redis.available, metrics, log };
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
  return admin.port;
}
