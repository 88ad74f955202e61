import { findAccount, openShards } from '@surety/db';
import type { ShardPools } from '@surety/db';
import {
  Releasers,
  connectRedis,
  createDoorbell,
  createLogger,
  createMetrics,
  databaseCounters,
  defaultInstance,
  healthRouter,
} from '@surety/runtime';
import type { Doorbell, Logger, Metrics, RedisHandle, RunningProcess } from '@surety/runtime';
import { AccountCurrencies } from './account-currencies.js';
import { createApp } from './app.js';
import type { IngressConfig } from './config.js';
import { Copies } from './copies.js';
import { EndWatch } from './end-watch.js';
import { readinessChecks } from './health-checks.js';
import { startHttpServer } from './http-server.js';
import { KeyMemory } from './key-memory.js';
import { apiRoutes } from './routes.js';
import { ShardDoors } from './shard-doors.js';

export interface RunningIngress extends RunningProcess {
  /** Where it listens; the configured port, or the free one that was found for 0. */
  readonly port: number;
  readonly metrics: Metrics;
}

export interface StartOptions {
  readonly log?: Logger;
}

/** All releases together; whoever started the process ends what takes longer. */
const STOP_DEADLINE_MS = 15_000;

interface Opening {
  readonly config: IngressConfig;
  readonly instance: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly releasers: Releasers;
}

/** Starts the HTTP edge. Resolves when it listens. */
export async function start(
  config: IngressConfig,
  options: StartOptions = {},
): Promise<RunningIngress> {
  const instance = config.SURETY_INSTANCE ?? defaultInstance('ingress');
  const level = config.SURETY_LOG_LEVEL;
  const log = options.log ?? createLogger({ process: 'ingress', instance, level });
  const releasers = new Releasers();
  try {
    return await open({ config, instance, log, metrics: createMetrics('ingress'), releasers });
  } catch (error) {
    await releasers.releaseAll(STOP_DEADLINE_MS, log);
    throw error;
  }
}

async function open(opening: Opening): Promise<RunningIngress> {
  const { config, log, metrics, releasers } = opening;
  const pools = await openPools(opening);
  const redis = connectRedis({ url: config.SURETY_REDIS_URL, name: opening.instance, log });
  releasers.push('redis', () => redis.close());
  const doorbell = createDoorbell({ url: config.SURETY_REDIS_URL, log });
  releasers.push('doorbell', () => doorbell.close());
  const endWatch = new EndWatch();
  releasers.push('end watch', await endWatch.listen(doorbell));

  let isStopping = false;
  const app = createApp({
    routes: composeRoutes(opening, { pools, redis, doorbell, endWatch }),
    health: healthRouter({
      ...readinessChecks({ pools, redis, config }),
      metrics,
      isStopping: () => isStopping,
      process: 'ingress',
    }),
    log,
    metrics,
    isStopping: () => isStopping,
  });
  const { SURETY_HOST: host, PORT } = config;
  const server = await startHttpServer({ host, port: PORT, app });
  releasers.push('http', () => server.close());
  releasers.push('waiting clients', () => {
    endWatch.stop();
  });
  log.info('listening', { host, port: server.port });

  const stop = async (): Promise<void> => {
    isStopping = true;
    await releasers.releaseAll(STOP_DEADLINE_MS, log);
    log.info('stopped');
  };
  return { port: server.port, metrics, ...stoppable(stop) };
}

async function openPools({ config, metrics, releasers }: Opening): Promise<ShardPools> {
  const pools = openShards({
    urls: config.SURETY_SHARDS,
    poolSize: config.SURETY_POOL_SIZE,
    metrics: databaseCounters(metrics),
  });
  releasers.push('shards', () => pools.close());
  await pools.ready();
  return pools;
}

interface Parts {
  readonly pools: ShardPools;
  readonly redis: RedisHandle;
  readonly doorbell: Doorbell;
  readonly endWatch: EndWatch;
}

function composeRoutes({ config, metrics, releasers }: Opening, parts: Parts) {
  const { pools, redis, doorbell, endWatch } = parts;
  const doors = new ShardDoors({
    shards: pools.shards,
    slotMaps: pools.slotMaps,
    queueMax: config.SURETY_INGRESS_QUEUE_MAX,
    doorbell,
    metrics,
  });
  releasers.push('groups', () => doors.stop());
  return apiRoutes({
    doors,
    endWatch,
    copies: new Copies(redis),
    keyMemory: new KeyMemory(redis),
    accountCurrencies: new AccountCurrencies((id) =>
      doors.readAccount(id, async (shard) => (await findAccount(shard, id))?.currency),
    ),
    currencies: config.currencies,
    defaultCurrency: config.SURETY_DEFAULT_CURRENCY,
  });
}

/** However often it is asked to stop, it stops once. */
function stoppable(stop: () => Promise<void>): RunningProcess {
  let stopped: Promise<void> | undefined;
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return {
    done,
    stop: () => {
      stopped ??= stop().finally(finish);
      return stopped;
    },
  };
}
