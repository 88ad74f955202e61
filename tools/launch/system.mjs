/** The running system: schemas, topics and the five processes, on services that are up. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ownNode } from '../own-node.mjs';
import { findFreePort } from '../services/ports.mjs';
import { provisionShards, untilMySqlAccepts } from '../services/provision.mjs';
import { APP_NAMES, environmentOf, sharedEnvironment } from './app-environment.mjs';
import { AppProcess } from './app-process.mjs';
import { part } from './say.mjs';
import { rememberShardCount } from './shard-count.mjs';
import { entryOf, writeSystemFile } from './system-file.mjs';

const RUNTIME = ['packages', 'runtime', 'dist', 'index.js'];
const READY_DEADLINE_MS = 60_000;
const TOPICS_WITHIN_MS = 10_000;

const importBuilt = (root, ...path) => import(pathToFileURL(join(root, ...path)).href);

/**
 * The shards' URLs: given by the environment, or schemas and users made on the services' server.
 * @param {{ root: string, services: import('../services/bring-up.mjs').Services, shards?: number }} options
 */
export async function prepareShards({ root, services, shards }) {
  const { shardUrls, migrationUrls, mysqlAdminUrl, mode } = services;
  if (mode === 'urls') return { shardUrls, migrationUrls };
  const state = join(root, '.surety');
  await untilMySqlAccepts(mysqlAdminUrl);
  return provisionShards({
    adminUrl: mysqlAdminUrl,
    shards: rememberShardCount(join(state, 'shards.json'), shards),
    prefix: 'surety',
    secretsDir: join(state, 'secrets'),
  });
}

/** @param {string} root @param {string[]} migrationUrls @param {(line: string) => void} log */
export async function migrate(root, migrationUrls, log) {
  const { migrateShards } = await importBuilt(root, 'db', 'dist', 'index.js');
  await migrateShards(migrationUrls, { log });
}

/**
 * Creates the topics that are missing, and partitions where SURETY_PARTITIONS asks for more. How the
 * brokers are spoken to (SURETY_KAFKA_TLS, SURETY_KAFKA_SASL) is the environment's matter.
 * @param {string} root @param {string[]} brokers
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Promise<number>} how many partitions the processes are to write to
 */
export async function createTopicsOf(root, brokers, environment = process.env) {
  const { TOPIC_NAMES: topics } = await importBuilt(
    ...[root, 'packages', 'contracts', 'dist', 'index.js'],
  );
  const runtime = await importBuilt(root, ...RUNTIME);
  const shape = { ...runtime.kafkaShape, SURETY_PARTITIONS: runtime.settings.partitions() };
  const texts = { ...environment, SURETY_KAFKA_BROKERS: brokers.join(',') };
  const values = runtime.parseEnvironment(shape, texts);
  const { SURETY_PARTITIONS: setting } = values;
  const kafka = runtime.kafkaCluster(values);
  const found = environment.SURETY_PARTITIONS
    ? undefined
    : await runtime.countPartitions({ ...kafka, topics, withinMs: TOPICS_WITHIN_MS });
  const partitions = partitionsOf(found, setting);
  await runtime.createTopics({ ...kafka, topics, partitions });
  return partitions;
}

/**
 * Topics that are there keep what they were made with: their number is the system's, not the
 * present default. Where they differ, the shorter ones get more.
 * @param {ReadonlyMap<string, number> | undefined} found by topic; undefined: what is set counts
 * @param {number} setting what is set, or the default
 */
export function partitionsOf(found, setting) {
  return found?.size > 0 ? Math.max(...found.values()) : setting;
}

/**
 * Starts every process and waits until all are ready; rejects if one is not in time.
 * @param {object} options
 * @param {string} options.root
 * @param {number} options.port for HTTP
 * @param {string} options.mode
 * @param {number} options.partitions of each topic
 * @param {{ shardUrls: string[], migrationUrls: string[] }} options.shards
 * @param {{ kafkaBrokers: string[], redisUrl: string }} options.services
 * @param {(line: string) => void} options.log
 * @param {string} [options.state] where system.json and the logs go
 * @param {(name: string) => string[]} [options.nodeArguments] of a process, for Node itself
 * @param {(apps: AppProcess[]) => void} options.beforeStart told what to end, before any starts
 */
export async function startApps(options) {
  const { root, port, mode, partitions, shards, services, log, beforeStart } = options;
  const { state = join(root, '.surety'), nodeArguments } = options;
  const { kafkaBrokers, redisUrl } = services;
  const http = `http://127.0.0.1:${port}`;
  const startedAt = new Date().toISOString();
  const { PROCESS_NODE_ARGUMENTS } = await importBuilt(root, ...RUNTIME);
  log(`on Node ${ownNode(root).version}`);
  const apps = [];
  const record = () =>
    writeSystemFile(join(state, 'system.json'), {
      ...{ mode, ...shards, kafkaBrokers, redisUrl, http },
      processes: Object.fromEntries(apps.map((app) => [app.name, describe(app)])),
      launcherPid: process.pid,
      startedAt,
    });
  const shared = sharedEnvironment({
    ...{ shardUrls: shards.shardUrls, kafkaBrokers, redisUrl, partitions },
  });
  for (const name of APP_NAMES) {
    const appPort = name === 'ingress' ? port : await findFreePort();
    const spec = {
      name,
      root,
      entry: entryOf(root, name),
      env: environmentOf(name, appPort, shared),
      url: `http://127.0.0.1:${appPort}`,
      logFile: join(state, 'logs', `${name}.log`),
      nodeArguments: [...PROCESS_NODE_ARGUMENTS, ...(nodeArguments?.(name) ?? [])],
    };
    apps.push(new AppProcess(spec, { log, onChange: record }));
  }
  beforeStart(apps);
  for (const app of apps) app.start();
  await Promise.all(
    apps.map((app) =>
      part(`${app.name} ready (pid ${app.pid})`, () => app.untilReady(READY_DEADLINE_MS)),
    ),
  );
  return { http };
}

const describe = (app) => ({ pid: app.pid, adminUrl: app.url });

/** The last started is the door: it closes first, then the rest finish what they hold, together. */
export async function stopApps(apps) {
  const [door, ...others] = [...apps].reverse();
  await door?.stop();
  await Promise.all(others.map((app) => app.stop()));
}
