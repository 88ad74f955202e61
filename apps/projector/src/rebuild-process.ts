import { openShards } from '@surety/db';
import { Releasers, connectRedis, createLogger } from '@surety/runtime';
import type { RunningProcess } from '@surety/runtime';
import { readConfig } from './config.js';
import { rebuildProjections } from './rebuild-projections.js';

const RELEASE_DEADLINE_MS = 5_000;
/** Copies are a favour to readers: without Redis the rebuild is complete nevertheless. */
const REDIS_PATIENCE_MS = 2_000;

/**
 * One rebuild of all shards, then the end.
 * @throws ConfigurationError
 */
export async function startRebuild(environment: NodeJS.ProcessEnv): Promise<RunningProcess> {
  const config = readConfig(environment);
  const { instance, logLevel: level, redisUrl: url, shardUrls: urls } = config;
  const { poolSize, partitions } = config;
  const log = createLogger({ process: 'projector-rebuild', instance, level });
  const releasers = new Releasers();
  const pools = openShards({ urls, poolSize, partitions });
  releasers.push('pools', () => pools.close());
  const redis = connectRedis({ url, name: `${instance}-copies`, log });
  releasers.push('redis', () => redis.close());
  await untilReady(redis.client);
  const release = async (): Promise<void> => {
    await releasers.releaseAll(RELEASE_DEADLINE_MS, log);
  };
  const done = rebuildProjections(pools.shards, { log, redis }).then(() => undefined);
  return { done: done.finally(release), stop: release };
}

function untilReady(client: {
  readonly status: string;
  once(event: 'ready', listener: () => void): unknown;
}): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, REDIS_PATIENCE_MS);
    client.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
