import { openShards } from '@surety/db';
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
import type { Logger, Metrics, RunningProcess } from '@surety/runtime';
import { readConfig } from './config.js';
import type { WorkersConfig } from './config.js';
import { createHandler } from './create-handler.js';
import { groupIdOf, topicsOf } from './worker-steps.js';

/** Longer than a transaction with its retries: what is in hand is to be finished. */
const STOP_DEADLINE_MS = 20_000;

export interface WorkersProcess extends RunningProcess {
  readonly adminPort: number;
}

/**
 * Starts the workers. Resolves when they have joined their group, or cannot for now and keep trying.
 * @throws ConfigurationError
 */
export async function start(environment: NodeJS.ProcessEnv): Promise<WorkersProcess> {
  const config = readConfig(environment);
  const { instance, logLevel: level } = config;
  const log = createLogger({ process: 'workers', instance, level });
  const metrics = createMetrics('workers');
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
    log.info('workers started', { steps: config.steps, chains: config.chainsLocally, adminPort });
    return { done, stop, adminPort };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Parts {
  readonly config: WorkersConfig;
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
  await pools.ready();
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
    // The bell only shortens the way to the relay's next look.
    optional: ['redis'],
    metrics,
    isStopping,
  });
  releasers.push('admin server', () => admin.close());
  const doorbell = createDoorbell({ url, log });
  releasers.push('doorbell', () => doorbell.close());
  const { handler, stop } = createHandler(config, { pools, doorbell, metrics, log });
  releasers.push('runners', stop);
  const consumer = await startConsumer({
    brokers,
    clientId: instance,
    groupId: groupIdOf(config.steps),
    topics: topicsOf(config.steps),
    log,
    handle: (batch) => handler.handle(batch),
  });
  releasers.push('consumer', () => consumer.stop());
  const gauge = lagGauge(consumer, metrics);
  gauge.start();
  releasers.push('lag gauge', () => gauge.stop());
  return admin.port;
}
