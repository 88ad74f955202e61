import { openShards } from '@surety/db';
import { Releasers, connectRedis, createLogger } from '@surety/runtime';
import type { RunningProcess } from '@surety/runtime';
import { readConfig } from './config.js';
import type { RebuildSummary } from './rebuild.js';
import { rebuildProjections } from './rebuild-projections.js';

const RELEASE_DEADLINE_MS = 5_000;
/** Copies are a favour to readers: without Redis the rebuild is complete nevertheless. */
const REDIS_PATIENCE_MS = 2_000;

/** Whoever started it goes by the exit code. @throws Error where events were left out */
function endWell(summaries: readonly RebuildSummary[]): void {
  const unreadable = summaries.reduce((sum, one) => sum + one.unreadable, 0);
  if (unreadable > 0) throw new Error(`all shards are rebuilt but for ${unreadable} events`);
}

/**
 * One rebuild of all shards, then the end; `done` fails where events could not be read.
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
  const done = rebuildProjections(pools.shards, { log, redis }).then(endWell);
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
