/** A fresh system on durable settings for one benchmark, in a state directory of its own. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createTopicsOf, migrate, startApps, stopApps } from '../../tools/launch/system.mjs';
import { ownNode } from '../../tools/own-node.mjs';
import { bringUpServices } from '../../tools/services/bring-up.mjs';
import { findFreePort } from '../../tools/services/ports.mjs';
import { provisionShards, untilMySqlAccepts } from '../../tools/services/provision.mjs';

const SERVERS = ['mariadb', 'mysql', 'kafka', 'redis'];
const CLI_BYTES_MAX = 16 * 1024 * 1024;

/**
 * @param {{ root: string, engine: 'mariadb' | 'mysql', shards: number, bufferPoolMb?: number,
 *   profile?: string,
 *   log: (line: string) => void, push: (step: { label: string, end: () => Promise<void> }) => void }} options
 *   push: told what to end, before it starts
 */
export async function startBenchSystem(options) {
  const { root, engine, shards, bufferPoolMb, profile, log, push } = options;
  const state = join(root, '.surety', 'bench');
  rmSync(join(state, 'secrets'), { recursive: true, force: true });
  const dataDir = join(state, 'services');
  const services = await bringUpServices({ dataDir, log, engine, bufferPoolMb, fresh: true });
  push({ label: 'backing services', end: () => services.stop() });
  await untilMySqlAccepts(services.mysqlAdminUrl);
  const secretsDir = join(state, 'secrets');
  const adminUrl = services.mysqlAdminUrl;
  const urls = await provisionShards({ adminUrl, shards, prefix: 'bench', secretsDir });
  await migrate(root, urls.migrationUrls, log);
  const partitions = await createTopicsOf(root, services.kafkaBrokers);
  const port = await findFreePort();
  let apps = [];
  const beforeStart = (started) => {
    apps = started;
    push({ label: 'processes', end: () => stopApps(started) });
  };
  await startApps({
    ...{ root, state, port, mode: services.mode, partitions, services, shards: urls, log },
    beforeStart,
    nodeArguments: (name) => (profile ? profilerOf(profile, name) : []),
  });
  const kafka = await openKafkaAdmin(services.kafkaBrokers);
  push({ label: '', end: () => kafka.disconnect() });
  return {
    port,
    adminUrl,
    redisUrl: services.redisUrl,
    shardUrls: urls.shardUrls,
    urls: Object.fromEntries(apps.map((app) => [app.name, app.url])),
    pids: () => ({
      ...Object.fromEntries(apps.map((app) => [app.name, app.pid])),
      ...serverPids(dataDir),
    }),
    kafkaMessages: () => countMessages(kafka),
    check: () => check(root, urls.shardUrls),
  };
}

function profilerOf(directory, name) {
  const file = `--cpu-prof-name=${name}.cpuprofile`;
  return ['--cpu-prof', `--cpu-prof-dir=${resolve(directory)}`, file];
}

/** The server's own record; those that this benchmark does not run have none. */
function serverPids(dataDir) {
  const entries = SERVERS.flatMap((name) => {
    try {
      return [[name, JSON.parse(readFileSync(join(dataDir, name, 'server.json'), 'utf8')).pid]];
    } catch {
      return [];
    }
  });
  return Object.fromEntries(entries);
}

async function openKafkaAdmin(brokers) {
  const { Kafka, logLevel } = (await import('kafkajs')).default;
  const admin = new Kafka({ clientId: 'bench', brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  return admin;
}

async function countMessages(admin) {
  const topics = (await admin.listTopics()).filter((name) => name.startsWith('surety'));
  const offsets = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
  return offsets.flat().reduce((sum, { offset }) => sum + Number(offset), 0);
}

/** Whether `surety check` finds every promise kept. @throws Error where it could not run */
async function check(root, shardUrls) {
  const command = join(root, 'apps', 'reconciler', 'bin', 'surety.mjs');
  const env = { ...process.env, SURETY_SHARDS: shardUrls.join(',') };
  try {
    await promisify(execFile)(ownNode(root).path, [command, 'check'], {
      env,
      cwd: root,
      maxBuffer: CLI_BYTES_MAX,
    });
    return true;
  } catch (error) {
    if (error.code === 1) return false;
    throw new Error(`surety check could not run: ${error.stderr}`, { cause: error });
  }
}
