/**
 * Backing services in containers of the official images, through the docker command line. Their
 * names and labels carry a hash of the clone's path: they are found again, others are left alone.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { rememberPassword } from './private-file.mjs';
import { readPorts, rememberPorts } from './ports.mjs';
import { answersKafka, answersMySql, answersRedis } from './protocol-probe.mjs';
import { runCommand, succeeds } from './run-command.mjs';
import { sqlSettings } from './sql-settings.mjs';

const ENGINE_ANSWER_MS = 3_000;
const PULL_DEADLINE_MS = 10 * 60_000;
const READY_DEADLINE_MS = 120_000;
export const IMAGES = { mysql: 'mysql:8.4', kafka: 'apache/kafka:4.1.1', redis: 'redis:7.2' };

export function dockerEngineAnswers() {
  return succeeds('docker', ['info'], { timeoutMs: ENGINE_ANSWER_MS });
}

/** True when every image is there or could be pulled; false where the engine reaches no registry. */
export async function imagesAreThere(log) {
  for (const image of Object.values(IMAGES)) {
    if (await succeeds('docker', ['image', 'inspect', image])) continue;
    log(`Docker: pulling ${image}`);
    try {
      await runCommand('docker', ['pull', '-q', image], { timeoutMs: PULL_DEADLINE_MS });
    } catch (error) {
      log(`Docker: ${image} cannot be pulled (${error.message.split('\n').at(-1)})`);
      return false;
    }
  }
  return true;
}

/**
 * @param {{ dataDir: string, log: (line: string) => void }} options
 */
export async function startContainers({ dataDir, log }) {
  const clone = cloneHash(dataDir);
  const prefix = `surety-${clone}`;
  const label = `io.surety.clone=${clone}`;
  const password = rememberPassword(join(dataDir, 'docker', 'root-password'));
  const running = (await listContainers(clone)).length > 0;
  const ports = await dockerPorts(dataDir, running);
  const containers = containerArguments(ports, password);
  await Promise.all(
    Object.entries(containers).map(([kind, args]) =>
      startContainer({ name: `${prefix}-${kind}`, label, args, log }),
    ),
  );
  await Promise.all([
    untilAnswering('MySQL', () => answersMySql(ports.mysql)),
    untilAnswering('Kafka', () => answersKafka(ports.kafka)),
    untilAnswering('Redis', () => answersRedis(ports.redis)),
  ]);
  return {
    mysqlAdminUrl: `mysql://root:${password}@127.0.0.1:${ports.mysql}`,
    kafkaBrokers: [`127.0.0.1:${ports.kafka}`],
    redisUrl: `redis://127.0.0.1:${ports.redis}`,
    stop: async () => {
      const names = Object.keys(containers).map((kind) => `${prefix}-${kind}`);
      await runCommand('docker', ['stop', '-t', '20', ...names]);
    },
  };
}

/** Removes this clone's containers with their data. */
export async function removeContainers(dataDir) {
  const ids = await listContainers(cloneHash(dataDir));
  if (ids.length > 0) await runCommand('docker', ['rm', '-f', '-v', ...ids]);
}

const cloneHash = (dataDir) => createHash('sha256').update(dataDir).digest('hex').slice(0, 10);

async function listContainers(clone) {
  const filter = ['--filter', `label=io.surety.clone=${clone}`];
  const ids = await runCommand('docker', ['ps', '-aq', ...filter]);
  return ids.split('\n').filter(Boolean);
}

/** Containers keep the ports they were made with, so an existing one's ports are not up for choice. */
async function dockerPorts(dataDir, containersExist) {
  const directory = join(dataDir, 'docker');
  const names = ['mysql', 'kafka', 'redis'];
  if (!containersExist) return rememberPorts(directory, names);
  return readPorts(join(directory, 'ports.json'));
}

function containerArguments(ports, password) {
  const publish = (outside, inside) => ['-p', `127.0.0.1:${outside}:${inside}`];
  const kafka = kafkaEnvironment(ports.kafka);
  const settings = Object.entries(kafka).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const root = ['-e', `MYSQL_ROOT_PASSWORD=${password}`, '-e', 'MYSQL_ROOT_HOST=%'];
  return {
    mysql: [...publish(ports.mysql, 3306), ...root, IMAGES.mysql, ...sqlSettings('mysql')],
    kafka: [...publish(ports.kafka, 9092), ...settings, IMAGES.kafka],
    redis: [...publish(ports.redis, 6379), IMAGES.redis],
  };
}

/**
 * One KRaft node that is broker and controller.
 * @param {number} publishedPort a broker tells clients where it is: not the port inside
 */
export function kafkaEnvironment(publishedPort) {
  return {
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_NODE_ID: '1',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${publishedPort}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '2000',
    KAFKA_HEAP_OPTS: '-Xmx512m',
  };
}

async function startContainer({ name, label, args, log }) {
  if (await succeeds('docker', ['container', 'inspect', name])) {
    await runCommand('docker', ['start', name]);
    return;
  }
  log(`Docker: starting ${name}`);
  await runCommand('docker', ['run', '-d', '--name', name, '--label', label, ...args]);
}

async function untilAnswering(name, probe) {
  const until = Date.now() + READY_DEADLINE_MS;
  while (!(await probe())) {
    if (Date.now() > until) throw new Error(`${name} in Docker did not answer in two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
