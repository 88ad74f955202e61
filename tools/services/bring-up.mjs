/** Finds backing services or brings them up: URLs in the environment, Docker, embedded servers. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from './binary-cache.mjs';
import * as docker from './docker.mjs';
import { readExternalUrls } from './external-urls.mjs';
import { requireJavaAndMaven } from './java-and-maven.mjs';
import { startKafka } from './kafka.mjs';
import { startMariaDb } from './mariadb.mjs';
import { startMySql } from './mysql.mjs';
import { startRedis } from './redis.mjs';
import { endLeftOver } from './server-process.mjs';

const EMBEDDED = ['mariadb', 'mysql', 'kafka', 'redis'];
const RESTART_PAUSE_MS = 1_000;

/**
 * @typedef {object} Services
 * @property {'urls' | 'docker' | 'embedded'} mode
 * @property {string} [mysqlAdminUrl] not in mode urls: there the shards exist
 * @property {string[]} [shardUrls] mode urls only
 * @property {string[]} [migrationUrls] mode urls only
 * @property {string[]} kafkaBrokers
 * @property {string} redisUrl
 * @property {() => Promise<void>} stop ends what was started here, nothing else
 * @property {() => Promise<void>} [kill] the same at once, as a crash would
 */

/**
 * @param {{ dataDir: string, log: (line: string) => void, engine?: 'mariadb' | 'mysql',
 *   fresh?: boolean, bufferPoolMb?: number, env?: NodeJS.ProcessEnv }} options
 *   dataDir: everything the services keep; fresh: drop it first
 * @returns {Promise<Services>}
 */
export async function bringUpServices(options) {
  const { dataDir, log, fresh = false, env = process.env } = options;
  const urls = readExternalUrls(env);
  if (urls) {
    log('services: those named in the environment');
    return { mode: 'urls', ...urls, stop: async () => undefined };
  }
  const hasDocker = await docker.dockerEngineAnswers();
  if (fresh) await dropServices(dataDir, hasDocker);
  if (hasDocker && (await docker.imagesAreThere(log))) {
    log('services: a Docker engine answers, official images');
    return { mode: 'docker', ...(await docker.startContainers({ dataDir, log })) };
  }
  const found = hasDocker ? 'Docker without images' : 'no URLs, no Docker engine';
  await requireJavaAndMaven(log);
  log(`services: ${found}: embedded servers through Java and Maven`);
  return startEmbedded(options);
}

/** Ends left-over servers by pid before their data goes. */
async function dropServices(dataDir, hasDocker) {
  if (hasDocker) await docker.removeContainers(dataDir);
  for (const name of EMBEDDED) {
    await endLeftOver(join(dataDir, name));
    rmSync(join(dataDir, name), { recursive: true, force: true });
  }
}

/**
 * @param {{ dataDir: string, log: (line: string) => void, engine?: 'mariadb' | 'mysql',
 *   bufferPoolMb?: number, env?: NodeJS.ProcessEnv }} options
 */
async function startEmbedded(options) {
  const { dataDir, log, engine = 'mariadb', bufferPoolMb, env = process.env } = options;
  const cacheDir = cacheDirectory(env);
  const shared = (name) => ({ dataDir: join(dataDir, name), cacheDir, log });
  const startSql = engine === 'mysql' ? startMySql : startMariaDb;
  const results = await Promise.allSettled([
    timed(log, () => startSql({ ...shared(engine), bufferPoolMb })),
    timed(log, () => startKafka(shared('kafka'))),
    timed(log, () => startRedis(shared('redis'))),
  ]);
  const servers = results.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  );
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) {
    await Promise.all(servers.map((server) => server.stop()));
    throw failure.reason;
  }
  const guard = restartWhenTheyDie(servers, log);
  const [sql, kafka, redis] = servers;
  return {
    mode: 'embedded',
    mysqlAdminUrl: sql.url,
    kafkaBrokers: [kafka.url],
    redisUrl: redis.url,
    stop: async () => {
      guard.end();
      await Promise.all(servers.map((server) => server.stop()));
    },
    kill: async () => {
      guard.end();
      await Promise.all(servers.map((server) => server.kill()));
    },
  };
}

/** For a launcher that is told to end while its servers are still starting. */
export async function endEmbeddedServers(dataDir) {
  await Promise.all(EMBEDDED.map((name) => endLeftOver(join(dataDir, name))));
}

async function timed(log, start) {
  const startedAt = performance.now();
  const server = await start();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  log(`${server.kind} on 127.0.0.1:${server.port} (pid ${server.pid}) in ${seconds} s`);
  return server;
}

function restartWhenTheyDie(servers, log) {
  let ended = false;
  for (const server of servers) {
    server.onDeath(async () => {
      while (!ended) {
        log(`${server.kind} ended by itself: starting it again`);
        await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE_MS));
        if (ended) return;
        try {
          await server.restart();
          // The system may have been told to end while this server was coming back.
          if (ended) return void (await server.stop());
          log(`${server.kind} is back (pid ${server.pid})`);
          return;
        } catch (error) {
          log(`${server.kind} does not come back: ${error.message}`);
        }
      }
    });
  }
  return {
    end: () => {
      ended = true;
    },
  };
}
