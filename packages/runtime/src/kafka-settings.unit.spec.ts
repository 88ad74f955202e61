import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TestAuthority } from '@surety/testing/certificates';
import { parseEnvironment } from './config.js';
import { ConfigurationError } from './configuration-error.js';
import { kafkaCluster, kafkaShape } from './kafka-settings.js';
import type { KafkaCluster } from './kafka/cluster.js';

const BROKERS = { SURETY_KAFKA_BROKERS: 'kafka-1:9092,kafka-2:9092' };
const ON = { SURETY_KAFKA_TLS: 'on' };
const CREDENTIALS = { SURETY_KAFKA_USERNAME: 'surety', SURETY_KAFKA_PASSWORD: 'hunter2' };
const SCRAM = { SURETY_KAFKA_SASL: 'scram-sha-512', ...CREDENTIALS };
const PLAIN = { SURETY_KAFKA_SASL: 'plain', ...CREDENTIALS };

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'surety-kafka-settings-'));
  const authority = new TestAuthority('Authority of the spec');
  const { certificate, key } = authority.issue('client');
  const other = authority.issue('another client');
  const protectedKey = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' },
  }).privateKey;
  const files = { ca: authority.certificate + other.certificate, certificate, key, protectedKey };
  for (const [name, content] of Object.entries({ ...files, otherKey: other.key, empty: '' })) {
    writeFileSync(fileOf(name), content);
  }
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function fileOf(name: string): string {
  return join(directory, name);
}

const ofClient = (certificate: string, key: string): NodeJS.ProcessEnv => ({
  SURETY_KAFKA_TLS_CERT: fileOf(certificate),
  SURETY_KAFKA_TLS_KEY: fileOf(key),
});

function read(environment: NodeJS.ProcessEnv): KafkaCluster {
  return kafkaCluster(parseEnvironment(kafkaShape, { ...BROKERS, ...environment }));
}

function mistakesOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    read(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
}

test('by default brokers are spoken to as they are', () => {
  const brokers = ['kafka-1:9092', 'kafka-2:9092'];
  expect(read({})).toEqual({ brokers, tls: undefined, sasl: undefined });
});

test.each<[string, () => NodeJS.ProcessEnv]>([
  ['TLS by those whom the machine trusts', () => ON],
  ['TLS by an authority of one’s own', () => ({ ...ON, SURETY_KAFKA_TLS_CA: fileOf('ca') })],
  ['certificates of both sides', () => ({ ...ON, ...ofClient('certificate', 'key') })],
  ['SCRAM over TLS', () => ({ ...ON, ...SCRAM })],
  ['SCRAM without TLS, which sends no password', () => SCRAM],
  ['PLAIN over TLS', () => ({ ...ON, ...PLAIN })],
  [
    'PLAIN on loopback alone',
    () => ({ ...PLAIN, SURETY_KAFKA_BROKERS: 'localhost:9092,127.0.0.1:9093,[::1]:9094' }),
  ],
])('%s is taken', (_what, environment) => {
  const { tls, sasl } = read(environment());
  expect(tls !== undefined).toBe('SURETY_KAFKA_TLS' in environment());
  expect(sasl?.password.reveal()).toBe(environment()['SURETY_KAFKA_PASSWORD']);
});

const NO_USE = 'is of no use without SURETY_KAFKA_TLS=on';

test.each<[string, () => NodeJS.ProcessEnv, RegExp | string]>([
  ['TLS that is neither', () => ({ SURETY_KAFKA_TLS: 'yes' }), /^SURETY_KAFKA_TLS: .*"off"\|"on"$/],
  ['another mechanism', () => ({ ...SCRAM, SURETY_KAFKA_SASL: 'gssapi' }), /^SURETY_KAFKA_SASL: /],
  [
    'a file without TLS',
    () => ({ SURETY_KAFKA_TLS_CA: fileOf('ca') }),
    `SURETY_KAFKA_TLS_CA: ${NO_USE}`,
  ],
  [
    'a file that is not there',
    () => ({ ...ON, SURETY_KAFKA_TLS_CA: fileOf('nowhere') }),
    'SURETY_KAFKA_TLS_CA: is not a file that can be read (ENOENT)',
  ],
  [
    'a folder',
    () => ({ ...ON, SURETY_KAFKA_TLS_CA: directory }),
    'SURETY_KAFKA_TLS_CA: is not a file that can be read (EISDIR)',
  ],
  [
    'a file without certificates',
    () => ({ ...ON, SURETY_KAFKA_TLS_CA: fileOf('empty') }),
    'SURETY_KAFKA_TLS_CA: is not a file with certificates in PEM',
  ],
  [
    'a key in place of a certificate',
    () => ({ ...ON, ...ofClient('key', 'key') }),
    'SURETY_KAFKA_TLS_CERT: is not a file with certificates in PEM',
  ],
  [
    'a key with a passphrase',
    () => ({ ...ON, ...ofClient('certificate', 'protectedKey') }),
    'SURETY_KAFKA_TLS_KEY: is not a file with a private key in PEM without a passphrase',
  ],
  [
    'the key of another certificate',
    () => ({ ...ON, ...ofClient('certificate', 'otherKey') }),
    /^SURETY_KAFKA_TLS_CA, .*: do not go together, or are refused \(ERR_OSSL_X509_KEY_VALUES_MISMATCH\)$/,
  ],
  [
    'a certificate without its key',
    () => ({ ...ON, SURETY_KAFKA_TLS_CERT: fileOf('certificate') }),
    'SURETY_KAFKA_TLS_KEY: is required beside SURETY_KAFKA_TLS_CERT',
  ],
  [
    'a key without its certificate',
    () => ({ ...ON, SURETY_KAFKA_TLS_KEY: fileOf('key') }),
    'SURETY_KAFKA_TLS_CERT: is required beside SURETY_KAFKA_TLS_KEY',
  ],
  [
    'a mechanism without a password',
    () => ({ ...SCRAM, SURETY_KAFKA_PASSWORD: '' }),
    'SURETY_KAFKA_PASSWORD: is required where SURETY_KAFKA_SASL is not off',
  ],
  [
    'a password without a mechanism',
    () => ({ SURETY_KAFKA_PASSWORD: 'hunter2' }),
    'SURETY_KAFKA_PASSWORD: is of no use without a mechanism in SURETY_KAFKA_SASL',
  ],
  [
    'PLAIN without TLS beyond loopback',
    () => ({ ...PLAIN, SURETY_KAFKA_BROKERS: '127.0.0.1:9092,kafka:9092' }),
    /^SURETY_KAFKA_SASL: plain sends the password itself, .* set SURETY_KAFKA_TLS=on, or take scram/,
  ],
])('%s is the one mistake', (_what, environment, mistake) => {
  const mistakes = mistakesOf(environment());
  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]).toEqual(
    typeof mistake === 'string' ? mistake : expect.stringMatching(mistake),
  );
});

test('all mistakes are listed together, those of the whole beside those of each', () => {
  const environment = {
    SURETY_KAFKA_BROKERS: 'nowhere',
    SURETY_KAFKA_TLS_KEY: fileOf('nowhere'),
    SURETY_KAFKA_SASL: 'plain',
    SURETY_KAFKA_TSL: 'on',
  };
  const names = mistakesOf(environment).map((mistake) => mistake.split(':')[0]);
  expect(names).toEqual([
    'SURETY_KAFKA_BROKERS',
    'SURETY_KAFKA_TLS_KEY',
    'SURETY_KAFKA_TLS_KEY',
    'SURETY_KAFKA_USERNAME',
    'SURETY_KAFKA_PASSWORD',
    'SURETY_KAFKA_SASL',
    'SURETY_KAFKA_TSL',
  ]);
});

test('neither passwords nor keys are shown, in mistakes or in what was read', () => {
  const secrets = { ...ON, ...SCRAM, ...ofClient('certificate', 'key') };
  const cluster = read(secrets);
  const parsed = parseEnvironment(kafkaShape, { ...BROKERS, ...secrets });
  for (const shown of [cluster, parsed]) {
    const printed = `${JSON.stringify(shown)} ${inspect(shown, { depth: 9, showHidden: true })}`;
    expect(printed).not.toMatch(/hunter2|PRIVATE KEY/);
  }
  const wrong = { SURETY_KAFKA_SASL: 'hunter2', SURETY_KAFKA_TLS: 'hunter2' };
  const misplaced = { SURETY_KAFKA_TLS_KEY: 'hunter2', SURETY_KAFKA_PASSWORD: 'hunter2' };
  expect(mistakesOf({ ...wrong, ...misplaced }).join()).not.toContain('hunter2');
});
