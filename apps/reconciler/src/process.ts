import { shardOfSlot } from '@surety/domain';
import { openShards } from '@surety/db';
import type { ShardPools } from '@surety/db';
import {
  Releasers,
  connectRedis,
  createLogger,
  createMetrics,
  databaseCounters,
  kafkaHealthCheck,
  startAdminServer,
} from '@surety/runtime';
import type { HealthCheck, Logger, Loop, Metrics, RunningProcess } from '@surety/runtime';
import { checkLoop } from './check-loop.js';
import { readConfig } from './config.js';
import type { ReconcilerConfig } from './config.js';
import { reconcilerLease } from './lease.js';
import { ShardLoops } from './shard-loops.js';
import { sweepShard } from './sweep-shard.js';
import { telemetryListener } from './telemetry.js';

const RELEASE_DEADLINE_MS = 10_000;

export interface RunningReconciler extends RunningProcess {
  readonly adminPort: number;
}

/** @throws ConfigurationError; shards that are away are no reason not to start. */
export async function start(environment: NodeJS.ProcessEnv): Promise<RunningReconciler> {
  const config = readConfig(environment);
  const { instance, logLevel } = config;
  const log = createLogger({ process: 'reconciler', instance, level: logLevel });
  const metrics = createMetrics('reconciler');
  const releasers = new Releasers();
  const state = { isStopping: false };
  try {
    const pools = openPools(config, metrics);
    releasers.push('database pools', () => pools.close());
    const admin = await startAdminServer({
      host: config.host,
      port: config.adminPort,
      checks: healthChecks({ config, pools, log, releasers }),
      // Only the databases are needed here: the outbox it writes to is a table.
      optional: ['kafka', 'redis'],
      metrics,
      isStopping: () => state.isStopping,
      process: 'reconciler',
    });
    releasers.push('admin server', () => admin.close());
    const loops = startLoops({ config, pools, log, metrics });
    log.info('reconciler runs', { shards: pools.shards.length, adminPort: admin.port });
    return running({ adminPort: admin.port, state, loops, releasers, log });
  } catch (error) {
    await releasers.releaseAll(RELEASE_DEADLINE_MS, log);
    throw error;
  }
}

function openPools(config: ReconcilerConfig, metrics: Metrics): ShardPools {
  return openShards({
    urls: config.shardUrls,
    poolSize: config.poolSize,
    metrics: {
      ...databaseCounters(metrics),
      retry: (code) => {
        metrics.errorsTotal.inc({ kind: `sql_${code}`, shard: 'any' });
      },
    },
  });
}

interface HealthNeeds {
  readonly config: ReconcilerConfig;
  readonly pools: ShardPools;
  readonly log: Logger;
  readonly releasers: Releasers;
}

function healthChecks({
  config,
  pools,
  log,
  releasers,
}: HealthNeeds): Readonly<Record<string, HealthCheck>> {
  const redis = connectRedis({ url: config.redisUrl, name: 'reconciler', log });
  releasers.push('redis', () => redis.close());
  const kafka = kafkaHealthCheck({ brokers: config.kafkaBrokers });
  return { database: () => pools.check(), kafka, redis: redis.check };
}

interface LoopNeeds {
  readonly config: ReconcilerConfig;
  readonly pools: ShardPools;
  readonly log: Logger;
  readonly metrics: Metrics;
}

type Stoppable = Pick<Loop, 'start' | 'stop'>;

function startLoops({ config, pools, log, metrics }: LoopNeeds): readonly Stoppable[] {
  const sweepShards = pools.shards.map(sweepShard);
  const listener = telemetryListener(log, metrics);
  const shardLoops = pools.shards.map(
    (shard, at) =>
      new ShardLoops({
        config,
        source: sweepShards[at] as (typeof sweepShards)[number],
        lease: reconcilerLease(shard, config.instance),
        log,
        metrics,
        listener,
        slotMaps: pools.slotMaps,
        shardOf: (slot) =>
          sweepShards[shardOfSlot(pools.slotMaps.current(), slot)] as (typeof sweepShards)[number],
      }),
  );
  // Checks read all shards at once: the leader of the first shard runs them for everybody.
  const checks = checkLoop({
    pools,
    intervalMs: config.checkIntervalMs,
    log,
    metrics,
    isLeader: async () => (await shardLoops[0]?.lead()) ?? false,
  });
  const loops: readonly Stoppable[] = [...shardLoops, checks];
  for (const loop of loops) loop.start();
  return loops;
}

interface Parts {
  readonly adminPort: number;
  readonly state: { isStopping: boolean };
  readonly loops: readonly Stoppable[];
  readonly releasers: Releasers;
  readonly log: Logger;
}

function running({ adminPort, state, loops, releasers, log }: Parts): RunningReconciler {
  let finish: () => void;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    state.isStopping = true;
    const stops = loops.map((loop, at) => ({ name: `loop ${at}`, stop: () => loop.stop() }));
    for (const one of stops) releasers.push(one.name, one.stop);
    await releasers.releaseAll(RELEASE_DEADLINE_MS, log);
    finish();
  };
  return {
    adminPort,
    done,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
