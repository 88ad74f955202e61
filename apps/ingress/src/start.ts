import { TOPIC_NAMES } from '@surety/contracts';
import type { ProblemCode } from '@surety/contracts';
import { listCurrencies, openShards } from '@surety/db';
import type { ShardPools } from '@surety/db';
import { shardOfSlot, slotOfAccount, slotOfTransferId } from '@surety/domain';
import type { AccountId, CurrencyCode } from '@surety/domain';
import {
  connectRedis,
  createDoorbell,
  createLogger,
  databaseCounters,
  defaultInstance,
  healthRouter,
  openPartitionCheck,
  startPatience,
  startProcess,
} from '@surety/runtime';
import type {
  Doorbell,
  Logger,
  Metrics,
  ProcessKit,
  RedisHandle,
  RunningProcess,
} from '@surety/runtime';
import { AccountCurrencies } from './account-currencies.js';
import { Admissions } from './admissions.js';
import { createApp } from './app.js';
import type { IngressConfig } from './config.js';
import { Copies } from './copies.js';
import { EndWatch } from './end-watch.js';
import { StoredFirstTransfers } from './first-transfers.js';
import { GatheredReads } from './gathered-reads.js';
import { readinessChecks } from './health-checks.js';
import { startHttpServer } from './http-server.js';
import { KeyMemory } from './key-memory.js';
import { apiRoutes } from './routes.js';
import { ShardDoors } from './shard-doors.js';
import { StoredCurrencies } from './stored-currencies.js';

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

interface Opening extends ProcessKit {
  readonly config: IngressConfig;
  readonly instance: string;
}

/** Starts the HTTP edge. Resolves when it listens. */
export async function start(
  config: IngressConfig,
  options: StartOptions = {},
): Promise<RunningIngress> {
  const instance = config.SURETY_INSTANCE ?? defaultInstance('ingress');
  const logLevel = config.SURETY_LOG_LEVEL;
  const log = options.log ?? createLogger({ process: 'ingress', instance, level: logLevel });
  const running = await startProcess(
    { name: 'ingress', instance, logLevel, log, stopDeadlineMs: STOP_DEADLINE_MS },
    (kit) => open({ ...kit, config, instance }),
  );
  void running.done.then(() => log.info('stopped'));
  return running;
}

type Shown = Pick<RunningIngress, 'port' | 'metrics'>;

async function open(opening: Opening): Promise<Shown> {
  const { config, log, metrics, releasers, isStopping } = opening;
  const pools = await openPools(opening);
  const { currencies } = config;
  const storedCurrencies = new StoredCurrencies({ shards: pools.shards, currencies, log });
  await storedCurrencies.compareAll();
  const redis = connectRedis({ url: config.SURETY_REDIS_URL, name: opening.instance, log });
  releasers.push('redis', () => redis.close());
  const doorbell = createDoorbell({ url: config.SURETY_REDIS_URL, log });
  releasers.push('doorbell', () => doorbell.close());
  const endWatch = new EndWatch();
  const admissions = new Admissions((id) =>
    shardOfSlot(pools.slotMaps.current(), slotOfTransferId(id)),
  );
  const unlisten = await endWatch.listen(doorbell, (ids) => {
    admissions.ended(ids);
  });
  releasers.push('end watch', unlisten);

  const partitions = await openPartitionCheck(opening, {
    config: {
      kafka: config.kafka,
      partitions: config.SURETY_PARTITIONS,
    },
    topics: TOPIC_NAMES,
  });
  const app = createApp({
    routes: composeRoutes(opening, {
      ...{ pools, storedCurrencies, redis, doorbell, endWatch, admissions },
    }),
    health: healthRouter({
      ...readinessChecks({ pools, storedCurrencies, redis, partitions, config }),
      metrics,
      isStopping,
      process: 'ingress',
    }),
    log,
    metrics,
    isStopping,
  });
  const { SURETY_HOST: host, PORT } = config;
  const refused = (code: ProblemCode): void => {
    metrics.errorsTotal.inc({ kind: code, shard: '' });
  };
  const server = await startHttpServer({ host, port: PORT, app, refused });
  releasers.push('http', () => server.close());
  releasers.push('waiting clients', () => {
    endWatch.stop();
  });
  log.info('listening', { host, port: server.port });
  return { port: server.port, metrics };
}

async function openPools({ config, log, metrics, releasers }: Opening): Promise<ShardPools> {
  const pools = openShards({
    urls: config.SURETY_SHARDS,
    poolSize: config.SURETY_POOL_SIZE,
    partitions: config.SURETY_PARTITIONS,
    metrics: databaseCounters(metrics),
  });
  releasers.push('shards', () => pools.close());
  await pools.ready(startPatience(log));
  return pools;
}

interface Parts {
  readonly pools: ShardPools;
  readonly storedCurrencies: StoredCurrencies;
  readonly redis: RedisHandle;
  readonly doorbell: Doorbell;
  readonly endWatch: EndWatch;
  readonly admissions: Admissions;
}

function composeRoutes({ config, log, metrics, releasers }: Opening, parts: Parts) {
  const { pools, storedCurrencies, redis, doorbell, endWatch, admissions } = parts;
  const doors = new ShardDoors({
    shards: pools.shards,
    slotMaps: pools.slotMaps,
    admissions,
    queueMax: config.SURETY_INGRESS_QUEUE_MAX,
    doorbell,
    metrics,
    log,
    storedCurrencies,
    ...(config.SURETY_LOCAL_CHAINING === 'on' ? { holdTimeoutMs: config.HOLD_TIMEOUT } : {}),
  });
  releasers.push('groups', () => doors.stop());
  const ofAccounts = new GatheredReads<AccountId, CurrencyCode>({
    doors,
    slotOf: slotOfAccount,
    query: listCurrencies,
  });
  return apiRoutes({
    doors,
    firstTransfers: new StoredFirstTransfers(doors),
    endWatch,
    copies: new Copies(redis),
    keyMemory: new KeyMemory(redis),
    accountCurrencies: new AccountCurrencies((id) => ofAccounts.read(id)),
    currencies: config.currencies,
    defaultCurrency: config.SURETY_DEFAULT_CURRENCY,
  });
}
