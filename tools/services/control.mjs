/**
 * Servers on demand for end-to-end runs: reads one JSON command a line from standard input, answers
 * one JSON line each. When the input closes, everything it started is stopped, so a test run that
 * was killed leaves no server behind.
 *
 *   {"id":1,"do":"start","kind":"mariadb","name":"shard0","dataDir":"…"}
 *   {"id":2,"do":"stop"|"kill"|"restart"|"revive","name":"shard0"}
 *   {"id":3,"do":"provision","name":"shard0","prefix":"surety","shards":1}
 */
import { createInterface } from 'node:readline';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from './binary-cache.mjs';
import { startKafka } from './kafka.mjs';
import { startMariaDb } from './mariadb.mjs';
import { startMySql } from './mysql.mjs';
import { isAlive } from './process-ownership.mjs';
import { provisionShards } from './provision.mjs';
import { startRedis } from './redis.mjs';

const STARTERS = { mariadb: startMariaDb, mysql: startMySql, kafka: startKafka, redis: startRedis };
const servers = new Map();

function answer(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const ACTIONS = {
  async start({ kind, name, dataDir, fresh, options }) {
    if (fresh) rmSync(dataDir, { recursive: true, force: true });
    const server = await STARTERS[kind]({
      ...options,
      dataDir,
      cacheDir: process.env.SURETY_TEST_CACHE_DIR ?? cacheDirectory(),
      log: (line) => process.stderr.write(`${line}\n`),
    });
    servers.set(name, { server, dataDir });
    return { url: server.url, pid: server.pid, version: server.version };
  },
  async stop({ name }) {
    await serverOf(name).server.stop();
    return {};
  },
  async kill({ name }) {
    await serverOf(name).server.kill();
    return {};
  },
  async restart({ name }) {
    const { server } = serverOf(name);
    await server.restart();
    return { url: server.url, pid: server.pid };
  },
  /** Starts it only if it is down. */
  async revive({ name }) {
    const { server } = serverOf(name);
    if (!isAlive(server.pid)) await server.restart();
    return { url: server.url, pid: server.pid };
  },
  provision({ name, prefix, shards }) {
    const { server, dataDir } = serverOf(name);
    return provisionShards({ adminUrl: server.url, shards, prefix, secretsDir: join(dataDir) });
  },
};

function serverOf(name) {
  const entry = servers.get(name);
  if (!entry) throw new Error(`no server named ${name} was started`);
  return entry;
}

async function obey(line) {
  const command = JSON.parse(line);
  try {
    answer({ id: command.id, ok: true, result: await ACTIONS[command.do](command) });
  } catch (error) {
    answer({ id: command.id, ok: false, error: error.stack ?? String(error) });
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => void obey(line));
lines.on('close', () => {
  const stops = [...servers.values()].reverse().map(({ server }) => server.stop());
  void Promise.allSettled(stops).then(() => process.exit(0));
});
