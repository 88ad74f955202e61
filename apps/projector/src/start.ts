import { openShards } from '@surety/db';
import type { ShardPools } from '@surety/db';
import { TOPIC_NAMES } from '@surety/contracts';
import {
  Releasers,
  connectRedis,
  createDoorbell,
  createLogger,
  createMetrics,
  kafkaHealthCheck,
  startAdminServer,
  startConsumer,
} from '@surety/runtime';
import type { Doorbell, Logger, Metrics, RedisHandle, RunningProcess } from '@surety/runtime';
import { readConfig } from './config.js';
import type { ProjectorConfig } from './config.js';
import { LagGauge } from './lag-gauge.js';
import { MessageHandler } from './message-handler.js';
import { RedisCopies } from './redis-copies.js';
import { projectionStore, databaseMetrics } from './shard-adapters.js';
import { ShardProjection } from './shard-projection.js';

const GROUP_ID = 'surety-projector';
/** Longer than a write with its retries: what is in hand is to be finished. */
const STOP_DEADLINE_MS = 20_000;

export interface ProjectorProcess extends RunningProcess {
  readonly adminPort: number;
}

/**
 * Starts the projector. Resolves when it has joined its group, or cannot for now and keeps trying.
 * @throws ConfigurationError
 */
export async function start(environment: NodeJS.ProcessEnv): Promise<ProjectorProcess> {
  const config = readConfig(environment);
  const { instance, logLevel: level } = config;
  const log = createLogger({ process: 'projector', instance, level });
  const metrics = createMetrics('projector');
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
    log.info('projector started', { adminPort });
    return { done, stop, adminPort };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Parts {
  readonly config: ProjectorConfig;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly releasers: Releasers;
  readonly isStopping: () => boolean;
}

/** Each dependency pushes its release. Returns the admin server's port. */
async function build(parts: Parts): Promise<number> {
  const { config, log, metrics, releasers, isStopping } = parts;
  const { kafkaBrokers: brokers, redisUrl: url, instance } = config;
  const { shardUrls: urls, poolSize } = config;
  const pools = openShards({ urls, poolSize, metrics: databaseMetrics(metrics) });
  releasers.push('pools', () => pools.close());
  await pools.ready();
  const redis = connectRedis({ url, name: `${instance}-copies`, log });
  releasers.push('redis', () => redis.close());
  const admin = await startAdminServer({
    host: config.host,
    port: config.adminPort,
    checks: {
      database: () => pools.check(),
      kafka: kafkaHealthCheck({ brokers }),
      redis: redis.check,
    },
    // Without copies readers go to the tables, which are written all the same.
    optional: ['redis'],
    metrics,
    isStopping,
  });
  releasers.push('admin server', () => admin.close());
  const doorbell = createDoorbell({ url, log });
  releasers.push('doorbell', () => doorbell.close());
  const handler = createHandler(parts, { pools, redis, doorbell });
  const consumer = await startConsumer({
    brokers,
    clientId: instance,
    groupId: GROUP_ID,
    topics: TOPIC_NAMES,
    log,
    handle: (batch) => handler.handle(batch),
  });
  releasers.push('consumer', () => consumer.stop());
  const lagGauge = new LagGauge(consumer, metrics);
  lagGauge.start();
  releasers.push('lag gauge', () => lagGauge.stop());
  return admin.port;
}

interface Means {
  readonly pools: ShardPools;
  readonly redis: RedisHandle;
  readonly doorbell: Doorbell;
}

function createHandler(parts: Parts, { pools, redis, doorbell }: Means): MessageHandler {
  const { log, metrics, releasers } = parts;
  const copies = new RedisCopies(redis);
  const projections = new Map(
    pools.shards.map((shard) => {
      const store = projectionStore(shard);
      return [shard.id, new ShardProjection({ store, copies, doorbell, metrics, log })];
    }),
  );
  releasers.push('projections', async () => {
    await Promise.all(Array.from(projections.values(), (projection) => projection.stop()));
  });
  return new MessageHandler({
    currentMap: () => pools.slotMaps.current(),
    projections,
    metrics,
    log,
  });
}
