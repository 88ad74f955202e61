import { openShards } from '@surety/db';
import { TOPIC_NAMES } from '@surety/contracts';
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
import type { ProcessConfig, ProcessKit, RunningProcess } from '@surety/runtime';
import { readConfig } from './config.js';
import { createHandler } from './create-handler.js';

const GROUP_ID = 'surety-projector';
/** Half of it is what the news of an end waits for others under load. */
const FETCH_EVERY_MS = 25;
/**
 * Of all partitions, while their rows gather for the tables: more than twice what a full load of two
 * cores brings in the second that they rest. The texts are kept that long, should a write fail.
 */
const READ_AHEAD_CHARACTERS = 8_388_608;
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
  return startProcess({ ...config, name: 'projector', stopDeadlineMs: STOP_DEADLINE_MS }, (kit) =>
    build(config, kit),
  );
}

async function build(config: ProcessConfig, kit: ProcessKit): Promise<{ adminPort: number }> {
  const { kafka, redisUrl: url, instance } = config;
  const { shardUrls: urls, poolSize, partitions } = config;
  const { log, metrics, releasers } = kit;
  const pools = openShards({ urls, poolSize, partitions, metrics: databaseCounters(metrics) });
  releasers.push('pools', () => pools.close());
  await pools.ready(startPatience(log));
  const redis = connectRedis({ url, name: `${instance}-copies`, log });
  releasers.push('redis', () => redis.close());
  const partitionCheck = await openPartitionCheck(kit, { config, topics: TOPIC_NAMES });
  const adminPort = await openAdminServer(kit, {
    ...{ config, redis, partitions: partitionCheck, database: () => pools.check() },
    // Without copies readers go to the tables, which are written all the same.
    optional: ['redis'],
    consumes: true,
  });
  const doorbell = createDoorbell({ url, log });
  releasers.push('doorbell', () => doorbell.close());
  const { handler, hurry, stop } = createHandler({
    partitions,
    pools,
    redis,
    doorbell,
    metrics,
    log,
  });
  releasers.push('projections', stop);
  await openConsumer(kit, {
    ...{ ...kafka, clientId: instance, groupId: GROUP_ID, topics: TOPIC_NAMES },
    fetchEveryMs: FETCH_EVERY_MS,
    readAheadCharacters: READ_AHEAD_CHARACTERS,
    pressed: hurry,
    handle: (batch, attempt) => handler.handle(batch, attempt),
  });
  log.info('projector started', { adminPort });
  return { adminPort };
}
