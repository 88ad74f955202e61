import { openShards } from '@surety/db';
import { TOPIC_NAMES } from '@surety/contracts';
import {
  Releasers,
  connectRedis,
  createDoorbell,
  createLogger,
  createMetrics,
  databaseCounters,
  kafkaHealthCheck,
  lagGauge,
  startAdminServer,
  startConsumer,
} from '@surety/runtime';
import type { Logger, Metrics, ProcessConfig, RunningProcess } from '@surety/runtime';
import { readConfig } from './config.js';
import { createHandler } from './create-handler.js';

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
  readonly config: ProcessConfig;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly releasers: Releasers;
  readonly isStopping: () => boolean;
}

/** Each dependency pushes its release. Returns the admin server's port. */
async function build({ config, log, metrics, releasers, isStopping }: Parts): Promise<number> {
  const { kafkaBrokers: brokers, redisUrl: url, instance } = config;
  const { shardUrls: urls, poolSize } = config;
  const pools = openShards({ urls, poolSize, metrics: databaseCounters(metrics) });
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
  const { handler, stop } = createHandler({ pools, redis, doorbell, metrics, log });
  releasers.push('projections', stop);
  const consumer = await startConsumer({
    brokers,
    clientId: instance,
    groupId: GROUP_ID,
    topics: TOPIC_NAMES,
    log,
    handle: (batch) => handler.handle(batch),
  });
  releasers.push('consumer', () => consumer.stop());
  const gauge = lagGauge(consumer, metrics);
  gauge.start();
  releasers.push('lag gauge', () => gauge.stop());
  return admin.port;
}
