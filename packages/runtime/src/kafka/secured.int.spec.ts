import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { until } from '@surety/testing';
import { TestAuthority } from '@surety/testing/certificates';
import { ServiceControl, freePort, keyStore, saslMechanisms } from '@surety/testing/system';
import type { SecuredListener } from '@surety/testing/system';
import { parseEnvironment } from '../config.js';
import { failureKind } from '../failure-kind.js';
import { kafkaCluster, kafkaShape } from '../kafka-settings.js';
import { silentLog } from '../spec-support.js';
import type { KafkaCluster } from './cluster.js';
import { startConsumer } from './consumer.js';
import { countPartitions } from './partition-check.js';
import { createPublisher } from './publisher.js';
import { createTopics, kafkaHealthCheck } from './topics.js';

const USERNAME = 'surety';
const PASSWORD = 'correct-horse';
const WRONG_PASSWORD = 'hunter2';
/**
 * For so long the listener `brief` lets in, in milliseconds, by mechanism. The library begins to
 * authenticate again ten seconds before the end, which the broker takes a second after the last time.
 */
const BRIEF_MS = { 'scram-sha-512': 2_000, 'scram-sha-256': 12_000 };
const LISTENERS = ['secured', 'scramOnly', 'mutual', 'elsewhere', 'brief'] as const;
type ListenerName = (typeof LISTENERS)[number];

const log = silentLog();
const root = process.cwd();
const authority = new TestAuthority('Authority of the spec');
const stranger = new TestAuthority('Authority that nobody trusts');
const ports = new Map<ListenerName | 'plain', number>();
const opened: { close(): Promise<void> }[] = [];
let control: ServiceControl;
let directory: string;

beforeAll(async () => {
  mkdirSync(join(root, '.surety/test'), { recursive: true });
  directory = mkdtempSync(join(root, '.surety/test', 'secured-'));
  control = new ServiceControl(root, directory);
  for (const name of LISTENERS) ports.set(name, await freePort());
  const here = keyStore(authority.issue('broker', ['127.0.0.1', 'localhost']));
  const elsewhere = keyStore(authority.issue('broker', ['elsewhere.example']));
  const trust = {
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': authority.certificate,
  };
  const brief = Object.fromEntries(
    Object.entries(BRIEF_MS).map(([name, ms]) => [`${name}.connections.max.reauth.ms`, String(ms)]),
  );
  const scram = saslMechanisms(['SCRAM-SHA-512', 'SCRAM-SHA-256']);
  const user = { name: USERNAME, password: PASSWORD };
  const everyMechanism = saslMechanisms(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'], user);
  const { url } = await control.start('kafka', 'kafka', {
    securedListeners: [
      listener('secured', 'SASL_SSL', here, everyMechanism),
      listener('scramOnly', 'SASL_SSL', here, scram),
      listener('mutual', 'SSL', here, trust, { 'ssl.client.auth': 'required' }),
      listener('elsewhere', 'SSL', elsewhere),
      listener('brief', 'SASL_PLAINTEXT', everyMechanism, brief),
    ],
    scramUsers: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) => ({ mechanism, ...user })),
  });
  ports.set('plain', Number(url.split(':')[1]));
  writeFileSync(fileOf('authority'), authority.certificate);
  writeFileSync(fileOf('stranger'), stranger.certificate);
  for (const [name, issuer] of [
    ['client', authority],
    ['strange-client', stranger],
  ] as const) {
    const { certificate, key } = issuer.issue(name);
    writeFileSync(fileOf(name), certificate);
    writeFileSync(fileOf(`${name}-key`), key);
  }
});

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

afterAll(async () => {
  await control.close();
});

function listener(
  name: ListenerName,
  protocol: SecuredListener['protocol'],
  ...settings: readonly Readonly<Record<string, string>>[]
): SecuredListener {
  const entries = settings.flatMap((some) => Object.entries(some));
  const port = ports.get(name) ?? 0;
  return { name: name.toUpperCase(), port, protocol, settings: Object.fromEntries(entries) };
}

function fileOf(name: string): string {
  return join(directory, `${name}.pem`);
}

/** As a process reads it from its environment. */
function clusterAt(
  name: ListenerName | 'plain',
  environment: NodeJS.ProcessEnv,
  host = '127.0.0.1',
): KafkaCluster {
  const SURETY_KAFKA_BROKERS = `${host}:${ports.get(name)}`;
  return kafkaCluster(parseEnvironment(kafkaShape, { SURETY_KAFKA_BROKERS, ...environment }));
}

function tls(ca = 'authority'): NodeJS.ProcessEnv {
  return { SURETY_KAFKA_TLS: 'on', SURETY_KAFKA_TLS_CA: fileOf(ca) };
}

function sasl(mechanism: string, password = PASSWORD, username = USERNAME): NodeJS.ProcessEnv {
  return {
    SURETY_KAFKA_SASL: mechanism,
    SURETY_KAFKA_USERNAME: username,
    SURETY_KAFKA_PASSWORD: password,
  };
}

function certificateOf(client: string): NodeJS.ProcessEnv {
  return {
    SURETY_KAFKA_TLS_CERT: fileOf(client),
    SURETY_KAFKA_TLS_KEY: fileOf(`${client}-key`),
  };
}

async function newTopic(cluster: KafkaCluster): Promise<string> {
  const topic = `secured-spec-${randomUUID()}`;
  await createTopics({ ...cluster, topics: [topic], partitions: 2 });
  return topic;
}

/** Values of a topic, as they come. */
async function readFrom(cluster: KafkaCluster, topic: string): Promise<string[]> {
  const values: string[] = [];
  const consumer = await startConsumer({
    ...{ ...cluster, clientId: `secured-spec-${randomUUID()}`, groupId: randomUUID() },
    ...{ topics: [topic], log },
    handle: ({ messages }) => {
      values.push(...messages.map(({ value }) => value));
      return Promise.resolve({ processed: messages.length });
    },
  });
  opened.push({ close: () => consumer.stop() });
  return values;
}

/** All that an error says, with its causes: the runtime's own ones are of another realm than the spec's. */
function told(error: unknown): string {
  const { message = '', cause } = error as { message?: string; cause?: unknown };
  return cause === undefined ? message : `${message}: ${told(cause)}`;
}

test.each<[string, () => KafkaCluster]>([
  ['SCRAM-SHA-512 over TLS', () => clusterAt('secured', { ...tls(), ...sasl('scram-sha-512') })],
  ['SCRAM-SHA-256 over TLS', () => clusterAt('secured', { ...tls(), ...sasl('scram-sha-256') })],
  ['PLAIN over TLS', () => clusterAt('secured', { ...tls(), ...sasl('plain') }, 'localhost')],
  ['PLAIN on loopback', () => clusterAt('brief', sasl('plain'))],
  [
    'certificates of both sides',
    () => clusterAt('mutual', { ...tls(), ...certificateOf('client') }),
  ],
])('topics are made, written and read by %s', async (_way, clusterOf) => {
  const cluster = clusterOf();
  const topic = await newTopic(cluster);
  const publisher = await createPublisher({ ...cluster, clientId: 'secured-spec', log });
  opened.push(publisher);
  for (const value of ['one', 'two']) await publisher.publish([{ topic, partition: 0, value }]);
  const values = await readFrom(cluster, topic);
  await until(() => values.length >= 2, 'both arrived');
  expect(values).toEqual(['one', 'two']);
  await expect(kafkaHealthCheck(cluster)()).resolves.toBeUndefined();
  expect(await countPartitions({ ...cluster, topics: [topic] })).toEqual(new Map([[topic, 2]]));
});

const REFUSED = /SASL \S+: the broker refuses username or password \(Kafka error 58\)/;

test.each<[string, () => KafkaCluster, RegExp]>([
  [
    'a wrong password, by SCRAM',
    () => clusterAt('secured', { ...tls(), ...sasl('scram-sha-512', WRONG_PASSWORD) }),
    REFUSED,
  ],
  [
    'a wrong password, by PLAIN',
    () => clusterAt('secured', { ...tls(), ...sasl('plain', WRONG_PASSWORD) }),
    REFUSED,
  ],
  [
    'a user that is not there',
    () => clusterAt('secured', { ...tls(), ...sasl('scram-sha-256', WRONG_PASSWORD, 'nobody') }),
    REFUSED,
  ],
  [
    'a mechanism that the broker does not offer',
    () => clusterAt('scramOnly', { ...tls(), ...sasl('plain', WRONG_PASSWORD) }),
    /does not (?:offer this|support the requested SASL) mechanism/,
  ],
  [
    'an authority that we do not trust',
    () => clusterAt('secured', { ...tls('stranger'), ...sasl('scram-sha-512') }),
    /unable to verify the first certificate/,
  ],
  [
    'a certificate for another name',
    () => clusterAt('elsewhere', tls()),
    /does not match certificate's altnames/,
  ],
  [
    'a client without the certificate that is asked for',
    () => clusterAt('mutual', tls()),
    /bad certificate|certificate required/,
  ],
  [
    'a client whose certificate the broker does not trust',
    () => clusterAt('mutual', { ...tls(), ...certificateOf('strange-client') }),
    /certificate unknown|unknown ca|bad certificate/,
  ],
])('nobody gets in with %s, and the error says so', async (_what, clusterOf, reason) => {
  const cluster = clusterOf();
  const topics = ['secured-spec-never'];
  for (const attempt of [
    kafkaHealthCheck(cluster),
    () => createTopics({ ...cluster, topics, partitions: 1 }),
  ]) {
    const error: unknown = await attempt().then(
      () => new Error('it got in'),
      (refused: unknown) => refused,
    );
    expect(told(error)).toMatch(reason);
    expect(inspect(error, { depth: 10 })).not.toContain(WRONG_PASSWORD);
  }
});

test.each<[string, () => KafkaCluster, RegExp]>([
  [
    'TLS to a listener without it',
    () => clusterAt('plain', tls()),
    /disconnected before secure TLS/,
  ],
  [
    'no TLS to a listener with it',
    () => clusterAt('secured', {}),
    /announced an answer|closed the/,
  ],
  [
    'SASL to a listener without it',
    () => clusterAt('plain', sasl('scram-sha-512')),
    /SASL SCRAM-SHA-512: the listener asks for no SASL \(Kafka error 34\)/,
  ],
  ['no SASL to a listener with it', () => clusterAt('brief', {}), /closed the connection/],
])('whoever speaks %s is told', async (_what, clusterOf, reason) => {
  const error: unknown = await kafkaHealthCheck(clusterOf())().catch((cause: unknown) => cause);
  expect(told(error)).toMatch(reason);
});

test('a refused password is tried again, and told by publisher and consumer without it', async () => {
  const right = clusterAt('secured', { ...tls(), ...sasl('scram-sha-512') });
  const topic = await newTopic(right);
  const wrong = clusterAt('secured', { ...tls(), ...sasl('scram-sha-512', WRONG_PASSWORD) });
  const warned = jest.spyOn(log, 'warn');
  const lost = jest.spyOn(log, 'log');
  const publisher = await createPublisher({ ...wrong, clientId: 'secured-spec', log });
  opened.push(publisher);
  const message = { topic, partition: 0, value: 'never' };
  const failure: unknown = await publisher.publish([message]).catch((error: unknown) => error);
  expect(told(failure)).toMatch(REFUSED);
  await readFrom(wrong, topic);
  expect(failureKind(failure)).toBe('AuthenticationError');
  const lines = inspect([warned.mock.calls, lost.mock.calls], { depth: 10 });
  expect(lines).toMatch(/the producer is replaced/);
  expect(lines).toMatch(/the kafka consumer was lost/);
  expect(lines.match(new RegExp(REFUSED, 'g'))?.length).toBeGreaterThanOrEqual(2);
  expect(lines).not.toContain(WRONG_PASSWORD);
});

test('who the broker lets in for a time goes on after it, without a failure', async () => {
  const brief = clusterAt('brief', sasl('scram-sha-512'));
  const longer = clusterAt('brief', sasl('scram-sha-256'));
  const topic = await newTopic(clusterAt('brief', sasl('plain')));
  const warned = jest.spyOn(log, 'warn');
  const lost = jest.spyOn(log, 'log');
  const publisher = await createPublisher({ ...brief, clientId: 'secured-spec', log });
  opened.push(publisher);
  const values = await readFrom(longer, topic);
  const endsAt = performance.now() + 3 * BRIEF_MS['scram-sha-512'];
  let count = 0;
  while (performance.now() < endsAt) {
    await publisher.publish([{ topic, partition: 0, value: String(count) }]);
    count += 1;
  }
  await until(() => values.includes(String(count - 1)), 'the last message arrived');
  expect(values).toEqual(Array.from({ length: count }, (_, at) => String(at)));
  expect(warned).not.toHaveBeenCalled();
  expect(lost).not.toHaveBeenCalled();
});
