/**
 * Servers of the test run: given by the environment, containers, or embedded. Each is started when
 * a stage first asks for it and ended after the last one.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../services/binary-cache.mjs';
import { dockerEngineAnswers, imagesAreThere } from '../services/docker.mjs';
import { requireJavaAndMaven } from '../services/java-and-maven.mjs';
import { startKafka } from '../services/kafka.mjs';
import { startMariaDb } from '../services/mariadb.mjs';
import { MySqlUnavailableError, startMySql } from '../services/mysql.mjs';
import { startRedis } from '../services/redis.mjs';
import { endLeftOver } from '../services/server-process.mjs';
import * as containers from '../services/test-containers.mjs';

const KINDS = ['mariadb', 'mysql', 'kafka', 'redis'];
const KAFKA_HEAP_MB = 384;

/** @typedef {Record<'mariadb' | 'mysql' | 'kafka' | 'redis', () => Promise<Server>>} Starters */
/** @typedef {{ url: string, stop: () => Promise<void>, kill?: () => Promise<void> }} Server */

/**
 * @param {{ dataDir: string, log: (line: string) => void, env: NodeJS.ProcessEnv }} options
 */
export async function findTestServices(options) {
  const starters = givenServers(options.env) ?? (await ownServers(options));
  return new TestServices(starters);
}

/** @returns {Partial<Starters> | undefined} */
function givenServers(env) {
  const names = ['SURETY_TEST_MYSQL_URL', 'SURETY_TEST_KAFKA_BROKERS', 'SURETY_TEST_REDIS_URL'];
  const missing = names.filter((name) => !env[name]);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0) throw new Error(`${names.join(', ')} go together: ${missing} not set`);
  const engine = env.SURETY_TEST_MYSQL_ENGINE || 'mysql';
  const [sql, kafka, redis] = names.map((name) => async () => ({
    url: env[name],
    stop: async () => undefined,
  }));
  const notGiven = (kind) => () =>
    Promise.reject(new MySqlUnavailableError(`the servers in the environment have no ${kind}`));
  const none = { mariadb: notGiven('mariadb'), mysql: notGiven('mysql') };
  return { ...none, [engine]: sql, kafka, redis };
}

async function ownServers({ dataDir, log, env }) {
  // A run that was killed left servers and schemas: this one begins from nothing.
  for (const kind of KINDS) {
    await endLeftOver(join(dataDir, kind));
    rmSync(join(dataDir, kind), { recursive: true, force: true });
  }
  if ((await dockerEngineAnswers()) && (await imagesAreThere(log))) {
    return {
      mariadb: () => containers.startSqlContainer('mariadb'),
      mysql: () => containers.startSqlContainer('mysql'),
      kafka: containers.startKafkaContainer,
      redis: containers.startRedisContainer,
    };
  }
  await requireJavaAndMaven(log);
  const shared = (kind) => ({ dataDir: join(dataDir, kind), cacheDir: cacheDirectory(env), log });
  return {
    mariadb: () => startMariaDb(shared('mariadb')),
    mysql: () => startMySql(shared('mysql')),
    kafka: () => startKafka({ ...shared('kafka'), heapMb: KAFKA_HEAP_MB }),
    redis: () => startRedis(shared('redis')),
  };
}

export class TestServices {
  #starters;
  #stopped = false;
  /** @type {Map<string, Promise<Server>>} */
  #servers = new Map();

  constructor(starters) {
    this.#starters = starters;
  }

  /** The server of this kind, started on first use. */
  get(kind) {
    let server = this.#servers.get(kind);
    if (!server) {
      if (this.#stopped) return Promise.reject(new Error('the test servers were ended'));
      server = this.#starters[kind]();
      // Whoever awaits it learns of a failure; until then it must not end the process.
      server.catch(() => undefined);
      this.#servers.set(kind, server);
    }
    return server;
  }

  /** What a stage finds in its environment. */
  async environment(engine) {
    const [sql, kafka, redis] = await Promise.all([
      this.get(engine),
      this.get('kafka'),
      this.get('redis'),
    ]);
    return {
      SURETY_TEST_MYSQL_URL: sql.url,
      SURETY_TEST_MYSQL_ENGINE: engine,
      SURETY_TEST_KAFKA_BROKERS: kafka.url,
      SURETY_TEST_REDIS_URL: redis.url,
    };
  }

  /** Gives a kind's memory back before the next stage. */
  async end(kind) {
    const server = await this.#servers.get(kind)?.catch(() => undefined);
    this.#servers.delete(kind);
    await server?.stop();
  }

  async stop() {
    this.#stopped = true;
    await Promise.all([...this.#servers.keys()].map((kind) => this.end(kind)));
  }
}
