/** Embedded Kafka 4.1: one KRaft node, broker and controller in one JVM. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cachedEntry } from './binary-cache.mjs';
import { fetchArtifacts } from './maven.mjs';
import { rememberPorts } from './ports.mjs';
import { answersKafka } from './protocol-probe.mjs';
import { runCommand } from './run-command.mjs';
import { leftOverPorts, reachable, startServer } from './server-process.mjs';
import { initialiseOnce } from './sql-server.mjs';

const VERSION = '4.1.1';
const LOG4J_VERSION = '2.24.3';
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 20_000;

/**
 * @typedef {object} SecuredListener beside the plain one, on 127.0.0.1
 * @property {string} name in capitals
 * @property {number} port
 * @property {'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT'} protocol
 * @property {Record<string, string>} settings of this listener alone, without `listener.name.<name>.`
 */

/**
 * @param {{ dataDir: string, cacheDir: string, port?: number, heapMb?: number,
 *   behindProxy?: { port: number, advertisedPort: number }, securedListeners?: SecuredListener[],
 *   scramUsers?: { mechanism: string, name: string, password: string }[],
 *   log: (line: string) => void }} options
 *   behindProxy: a second listener whose clients are sent to the advertised port, where a proxy in
 *   front of it listens; the first one stays for those that go around the proxy
 */
export async function startKafka(options) {
  const classPath = join(await kafkaJars(options), '*');
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const ports =
    leftOverPorts(dataDir) ??
    (await rememberPorts(dataDir, ['broker', 'controller'], { broker: options.port }));
  const log4j = join(dataDir, 'log4j2.properties');
  writeFileSync(log4j, logSettings());
  const { scramUsers } = options;
  await initialiseOnce(join(dataDir, 'data'), (directory) =>
    format({ classPath, directory, ports, scramUsers }),
  );
  const marker = join(dataDir, 'server.properties');
  const settings = serverSettings(join(dataDir, 'data'), ports, moreListeners(options));
  writeFileSync(marker, settings, { mode: 0o600 });
  const heapMb = options.heapMb ?? 512;
  const server = await startServer({
    name: 'Kafka',
    dataDir,
    marker,
    command: 'java',
    args: [
      ...[`-Xmx${heapMb}m`, `-Xms${Math.min(heapMb, 128)}m`, '-XX:+UseSerialGC'],
      // Counters for tools that look into a JVM: sampled 20 times a second.
      '-XX:-UsePerfData',
      ...['-XX:+ExitOnOutOfMemoryError', '-Djava.awt.headless=true'],
      ...[`-Dlog4j2.configurationFile=${log4j}`, '-cp', classPath, 'kafka.Kafka', marker],
    ],
    probe: () => answersKafka(ports.broker),
    startDeadlineMs: START_DEADLINE_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
    log: options.log,
  });
  const { broker: port } = ports;
  return reachable(server, { kind: 'kafka', version: VERSION, url: `127.0.0.1:${port}`, port });
}

function kafkaJars({ cacheDir, log }) {
  const logging = { group: 'org.apache.logging.log4j', name: 'log4j-slf4j-impl' };
  return cachedEntry({
    cacheDir,
    key: `kafka-${VERSION}`,
    fill: (directory) =>
      fetchArtifacts({
        label: `Kafka ${VERSION}`,
        artifacts: [
          { group: 'org.apache.kafka', name: 'kafka_2.13', version: VERSION },
          { ...logging, version: LOG4J_VERSION },
        ],
        directory,
        log,
      }),
  });
}

/** A UUID as Kafka writes it. One in 64 would begin with a dash, which its tool takes for an option. */
export function newClusterId() {
  const bytes = randomBytes(16);
  bytes[0] &= 0x7f;
  return bytes.toString('base64url');
}

/** Gives the storage directory its cluster id and users. The settings' file is for this run only. */
async function format({ classPath, directory, ports, scramUsers = [] }) {
  const settings = `${directory}.properties`;
  writeFileSync(settings, serverSettings(directory, ports));
  const jvm = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', classPath];
  const command = ['kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', settings];
  const users = scramUsers.flatMap(({ mechanism, name, password }) => [
    '--add-scram',
    `${mechanism}=[name=${name},password=${password}]`,
  ]);
  await runCommand('java', [...jvm, ...command, ...users]);
  rmSync(settings);
}

/**
 * @typedef {object} Listener
 * @property {string} name
 * @property {number} port
 * @property {number} advertisedPort
 * @property {string} protocol
 * @property {Record<string, string>} [settings]
 */

/** @returns {Listener[]} those beside the plain one and the controller's */
function moreListeners({ behindProxy, securedListeners = [] }) {
  const proxied = behindProxy && { name: 'PROXIED', ...behindProxy, protocol: 'PLAINTEXT' };
  const secured = securedListeners.map((one) => ({ ...one, advertisedPort: one.port }));
  return [...(proxied ? [proxied] : []), ...secured];
}

function listenerSettings({ name, settings = {} }) {
  const prefix = `listener.name.${name.toLowerCase()}`;
  // A backslash and the end of a line mean something else in a file of Java's properties.
  const valueOf = (text) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return Object.entries(settings).map(([key, text]) => `${prefix}.${key}=${valueOf(text)}\n`);
}

/**
 * One node: every internal topic has one replica. Topics exist only when somebody created them. An
 * idle controller writes a record into its log every 10 s instead of twice a second, and one thread
 * keeps the offsets of the groups instead of four.
 */
function serverSettings(logDirectory, { broker, controller }, listeners = []) {
  const each = (text) => listeners.map((listener) => `,${text(listener)}`).join('');
  const bound = each(({ name, port }) => `${name}://127.0.0.1:${port}`);
  const advertised = each(({ name, advertisedPort }) => `${name}://127.0.0.1:${advertisedPort}`);
  const protocols = each(({ name, protocol }) => `${name}:${protocol}`);
  return `${listeners.flatMap(listenerSettings).join('')}process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}${bound}
advertised.listeners=PLAINTEXT://127.0.0.1:${broker}${advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${protocols}
log.dirs=${logDirectory.replaceAll('\\', '/')}
num.network.threads=2
num.io.threads=4
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.coordinator.threads=1
metadata.max.idle.interval.ms=10000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=2000
log.segment.bytes=67108864
log.retention.bytes=268435456
log.cleaner.dedupe.buffer.size=16777216
`;
}

function logSettings() {
  return `rootLogger.level=WARN
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1}: %m%n
logger.startup.name=kafka.server
logger.startup.level=INFO
`;
}
