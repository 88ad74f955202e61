import { openShards } from '@surety/db';
import type { Shard, ShardPools } from '@surety/db';
import { shardOfSlot } from '@surety/domain';
import type { ShardId } from '@surety/domain';
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
import type { Doorbell, Logger, Metrics, RunningProcess } from '@surety/runtime';
import type { StepOptions } from '@surety/saga';
import { readConfig } from './config.js';
import type { WorkersConfig } from './config.js';
import type { DeadLetters } from './dead-letters.js';
import { LagGauge } from './lag-gauge.js';
import { MessageHandler } from './message-handler.js';
import { shardDeadLetters, databaseMetrics } from './shard-adapters.js';
import { StepRunner } from './step-runner.js';
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
async function build(parts: Parts): Promise<number> {
  const { config, log, metrics, releasers, isStopping } = parts;
  const { kafkaBrokers: brokers, redisUrl: url, instance, holdTimeoutMs } = config;
  const pools = openShards({
    urls: config.shardUrls,
    poolSize: config.poolSize,
    holdTimeoutMs,
    metrics: databaseMetrics(metrics),
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
  const handler = createHandler(parts, { pools, doorbell });
  const consumer = await startConsumer({
    brokers,
    clientId: instance,
    groupId: groupIdOf(config.steps),
    topics: topicsOf(config.steps),
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
  readonly doorbell: Doorbell;
}

function createHandler(parts: Parts, { pools, doorbell }: Means): MessageHandler {
  const { config, log, metrics, releasers } = parts;
  const { slotMaps } = pools;
  const deadLetters = new Map(pools.shards.map((shard) => [shard.id, shardDeadLetters(shard)]));
  const deadLettersOf = (shard: ShardId): DeadLetters => {
    const letters = deadLetters.get(shard);
    if (!letters) throw new RangeError(`there is no shard ${shard}`);
    return letters;
  };
  const runners = new Map(
    pools.shards.map((shard) => {
      const step = stepOptions(config, pools, shard);
      const letters = deadLettersOf(shard.id);
      const { store } = shard;
      const shared = { slotMaps, doorbell, metrics, log };
      return [shard.id, new StepRunner({ ...shared, store, step, deadLetters: letters })];
    }),
  );
  releasers.push('runners', async () => {
    await Promise.all(Array.from(runners.values(), (runner) => runner.stop()));
  });
  return new MessageHandler({
    steps: config.steps,
    slotMaps,
    runners,
    deadLettersOf,
    metrics,
    log,
  });
}

function stepOptions(config: WorkersConfig, { slotMaps }: ShardPools, shard: Shard): StepOptions {
  const { holdTimeoutMs, chainsLocally } = config;
  const continuesOn = (slot: number): boolean => shardOfSlot(slotMaps.current(), slot) === shard.id;
  return { holdTimeoutMs, actor: 'saga', ...(chainsLocally ? { continuesOn } : {}) };
}
