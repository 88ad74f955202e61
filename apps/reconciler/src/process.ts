import { TOPIC_NAMES } from '@surety/contracts';
import { openShards } from '@surety/db';
import type { ShardPools } from '@surety/db';
import {
  CHANNELS,
  connectRedis,
  createDoorbell,
  databaseCounters,
  openAdminServer,
  openPartitionCheck,
  startProcess,
} from '@surety/runtime';
import type { Loop, Metrics, ProcessKit, RunningProcess } from '@surety/runtime';
import { checkLoop } from './check-loop.js';
import { readConfig } from './config.js';
import type { ReconcilerConfig } from './config.js';
import { refuseOtherDecimals } from './currencies.js';
import { reconcilerLease } from './lease.js';
import { sealLoop } from './seals/seal-loop.js';
import { ShardLoops } from './shard-loops.js';
import { patrolShard } from './patrol-shard.js';
import { sweepShard } from './sweep-shard.js';
import { patrolListener, telemetryListener } from './telemetry.js';

const STOP_DEADLINE_MS = 10_000;

export interface RunningReconciler extends RunningProcess {
  readonly adminPort: number;
}

/** @throws ConfigurationError; shards that are away are no reason not to start. */
export async function start(environment: NodeJS.ProcessEnv): Promise<RunningReconciler> {
  const config = readConfig(environment);
  const { instance, logLevel } = config;
  const options = { name: 'reconciler', instance, logLevel, stopDeadlineMs: STOP_DEADLINE_MS };
  return startProcess(options, async (kit) => {
    const { log, metrics, releasers } = kit;
    const pools = openPools(config, metrics);
    releasers.push('database pools', () => pools.close());
    await refuseOtherDecimals(pools.shards, config.ownCurrencies);
    const redis = connectRedis({ url: config.redisUrl, name: 'reconciler', log });
    releasers.push('redis', () => redis.close());
    const partitions = await openPartitionCheck(kit, { config, topics: TOPIC_NAMES });
    const adminPort = await openAdminServer(kit, {
      ...{ config, redis, partitions, database: () => pools.check() },
      // Only the databases are needed here: the outbox it writes to is a table.
      optional: ['kafka', 'redis'],
    });
    startLoops({ config, pools, kit });
    log.info('reconciler runs', { shards: pools.shards.length, adminPort });
    return { adminPort };
  });
}

function openPools(config: ReconcilerConfig, metrics: Metrics): ShardPools {
  return openShards({
    urls: config.shardUrls,
    poolSize: config.poolSize,
    partitions: config.partitions,
    metrics: {
      ...databaseCounters(metrics),
      retry: (code) => {
        metrics.errorsTotal.inc({ kind: `sql_${code}`, shard: 'any' });
      },
    },
  });
}

interface LoopNeeds {
  readonly config: ReconcilerConfig;
  readonly pools: ShardPools;
  readonly kit: ProcessKit;
}

function startLoops({ config, pools, kit }: LoopNeeds): void {
  const { log, metrics, releasers } = kit;
  const sweepShards = pools.shards.map(sweepShard);
  const listener = telemetryListener(log, metrics);
  const patrolShards = pools.shards.map(patrolShard);
  const patrolling = patrolListener(log, metrics);
  const doorbell = createDoorbell({ url: config.redisUrl, log });
  releasers.push('doorbell', () => doorbell.close());
  const shardLoops = pools.shards.map(
    (shard, at) =>
      new ShardLoops({
        config,
        source: sweepShards[at] as (typeof sweepShards)[number],
        shards: sweepShards,
        lease: reconcilerLease(shard, config.instance),
        log,
        metrics,
        listener,
        slotMaps: pools.slotMaps,
        patrol: {
          shards: patrolShards,
          listener: patrolling,
          ringOutbox: (id) => {
            doorbell.ring(CHANNELS.outbox(id));
          },
        },
      }),
  );
  // Checks read all shards at once: the leader of the first shard runs them for everybody.
  const checks = checkLoop({
    pools,
    intervalMs: config.checkIntervalMs,
    fullIntervalMs: config.fullCheckIntervalMs,
    log,
    metrics,
    isLeader: async () => (await shardLoops[0]?.lead()) ?? false,
  });
  const seals = pools.shards.map((shard, at) =>
    sealLoop({
      ...{ shard, log, metrics, intervalMs: config.sealIntervalMs },
      isLeader: async () => (await shardLoops[at]?.lead()) ?? false,
    }),
  );
  const loops: readonly Pick<Loop, 'start' | 'stop'>[] = [...shardLoops, checks, ...seals];
  loops.forEach((loop, at) => {
    releasers.push(`loop ${at}`, () => loop.stop());
    loop.start();
  });
}
