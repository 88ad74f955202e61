import { TOPIC_NAMES } from '@surety/contracts';
import { openShards } from '@surety/db';
import {
  connectRedis,
  createDoorbell,
  databaseCounters,
  openAdminServer,
  openConsumer,
  openPartitionCheck,
  startPatience,
  startProcess,
} from '@surety/runtime';
import type { ProcessKit, RunningProcess } from '@surety/runtime';
import { readConfig } from './config.js';
import type { WorkersConfig } from './config.js';
import { createHandler } from './create-handler.js';
import { WORKER_STEPS, groupIdOf, topicsOf } from './worker-steps.js';

/** Longer than a transaction with its retries: what is in hand is to be finished. */
const STOP_DEADLINE_MS = 20_000;
/** Half of it is what a step waits for others under load. */
const FETCH_EVERY_MS = 20;

export interface WorkersProcess extends RunningProcess {
  readonly adminPort: number;
}

/**
 * Starts the workers. Resolves when they have joined their group, or cannot for now and keep trying.
 * @throws ConfigurationError
 */
export async function start(environment: NodeJS.ProcessEnv): Promise<WorkersProcess> {
  const config = readConfig(environment);
  return startProcess({ ...config, name: 'workers', stopDeadlineMs: STOP_DEADLINE_MS }, (kit) =>
    build(config, kit),
  );
}

async function build(config: WorkersConfig, kit: ProcessKit): Promise<{ adminPort: number }> {
  const { kafka, redisUrl: url, instance, steps } = config;
  const { log, metrics, releasers } = kit;
  const pools = openShards({
    urls: config.shardUrls,
    poolSize: config.poolSize,
    partitions: config.partitions,
    metrics: databaseCounters(metrics),
  });
  releasers.push('pools', () => pools.close());
  await pools.ready(startPatience(log));
  const redis = connectRedis({ url, name: `${instance}-health`, log });
  releasers.push('redis', () => redis.close());
  const partitions = await openPartitionCheck(kit, { config, topics: TOPIC_NAMES });
  const adminPort = await openAdminServer(kit, {
    ...{ config, redis, partitions, database: () => pools.check() },
    // The bell only shortens the way to the relay's next look.
    optional: ['redis'],
    consumes: true,
  });
  for (const step of WORKER_STEPS) metrics.workerStepOn.set({ step }, steps.includes(step) ? 1 : 0);
  const doorbell = createDoorbell({ url, log });
  releasers.push('doorbell', () => doorbell.close());
  const { handler, stop } = createHandler(config, { pools, doorbell, metrics, log });
  releasers.push('runners', stop);
  await openConsumer(kit, {
    ...{ ...kafka, clientId: instance, groupId: groupIdOf(steps), topics: topicsOf(steps) },
    fetchEveryMs: FETCH_EVERY_MS,
    handle: (batch) => handler.handle(batch),
  });
  log.info('workers started', { steps, chains: config.chainsLocally, adminPort });
  return { adminPort };
}
