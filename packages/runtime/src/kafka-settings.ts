import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import { z } from 'zod';
import { ConfigurationError } from './configuration-error.js';
import { addressOf, isLoopback } from './kafka/cluster.js';
import type { KafkaCluster, KafkaSasl } from './kafka/cluster.js';
import { Secret } from './secret.js';
import { settings } from './settings.js';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The content of a file, read once, at the start. Neither its name nor its content gets into a
 * message: a value in the wrong place may be the secret itself.
 */
function file<T>(expectation: string, parse: (content: string) => T) {
  return z.string().transform((path, context): T => {
    const mistake = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    let content: string;
    try {
      content = readFileSync(path, 'utf8');
    } catch (error) {
      return mistake(`is not a file that can be read (${codeOf(error)})`);
    }
    try {
      return parse(content);
    } catch {
      return mistake(`is not a file with ${expectation}`);
    }
  });
}

function codeOf(error: unknown): string {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error;
  return isCoded ? String(error.code) : 'unknown';
}

/** @throws Error where the text has no certificate, or one that is none */
function certificates(pem: string): string[] {
  const found = pem.match(PEM_CERTIFICATE) ?? [];
  if (found.length === 0) throw new Error('no certificate');
  return found.map((one) => new X509Certificate(one).toString());
}

/** @throws Error where the text is no key, or one that a passphrase protects */
function privateKey(pem: string): Secret {
  createPrivateKey(pem);
  return new Secret(pem);
}

/** What everything that speaks to Kafka reads. */
export const kafkaShape = {
  SURETY_KAFKA_BROKERS: settings.kafkaBrokers(),
  SURETY_KAFKA_TLS: z.enum(['off', 'on']).default('off'),
  /** Who may have signed the brokers' certificates. Default: whom this machine trusts. */
  SURETY_KAFKA_TLS_CA: file('certificates in PEM', certificates).optional(),
  /** Our own certificate, with those between it and its root behind it. */
  SURETY_KAFKA_TLS_CERT: file('certificates in PEM', certificates).optional(),
  SURETY_KAFKA_TLS_KEY: file('a private key in PEM without a passphrase', privateKey).optional(),
  SURETY_KAFKA_SASL: z.enum(['off', 'plain', 'scram-sha-256', 'scram-sha-512']).default('off'),
  SURETY_KAFKA_USERNAME: z.string().optional(),
  SURETY_KAFKA_PASSWORD: z
    .string()
    .transform((text) => new Secret(text))
    .optional(),
};

type Texts = Readonly<Record<string, string | undefined>>;

/**
 * What these settings ask of each other, from their texts: so it is told together with what is wrong
 * in each of them.
 * @param texts of those that are set
 */
export function kafkaMistakes(texts: Texts): string[] {
  return [...tlsMistakes(texts), ...saslMistakes(texts)];
}

/** Each is of use with the other alone. */
const CLIENT_FILES = ['SURETY_KAFKA_TLS_CERT', 'SURETY_KAFKA_TLS_KEY'] as const;
const TLS_FILES = ['SURETY_KAFKA_TLS_CA', ...CLIENT_FILES];
const CREDENTIALS = ['SURETY_KAFKA_USERNAME', 'SURETY_KAFKA_PASSWORD'];

function tlsMistakes(texts: Texts): string[] {
  const set = TLS_FILES.filter((name) => texts[name]);
  if (isOff(texts['SURETY_KAFKA_TLS'])) {
    return set.map((name) => `${name}: is of no use without SURETY_KAFKA_TLS=on`);
  }
  const [certificate, key] = CLIENT_FILES;
  if (Boolean(texts[certificate]) === Boolean(texts[key])) return [];
  const [present, missing] = texts[certificate] ? [certificate, key] : [key, certificate];
  return [`${missing}: is required beside ${present}`];
}

function saslMistakes(texts: Texts): string[] {
  const mechanism = texts['SURETY_KAFKA_SASL'];
  if (isOff(mechanism)) {
    return CREDENTIALS.filter((name) => texts[name]).map(
      (name) => `${name}: is of no use without a mechanism in SURETY_KAFKA_SASL`,
    );
  }
  const missing = CREDENTIALS.filter((name) => !texts[name]).map(
    (name) => `${name}: is required where SURETY_KAFKA_SASL is not off`,
  );
  return sendsPasswordInTheClear(texts)
    ? [
        ...missing,
        'SURETY_KAFKA_SASL: plain sends the password itself, which anybody on the way could read: ' +
          'set SURETY_KAFKA_TLS=on, or take scram-sha-512 (without TLS only brokers on loopback get it)',
      ]
    : missing;
}

function sendsPasswordInTheClear(texts: Texts): boolean {
  if (texts['SURETY_KAFKA_SASL'] !== 'plain' || !isOff(texts['SURETY_KAFKA_TLS'])) return false;
  const brokers = (texts['SURETY_KAFKA_BROKERS'] ?? '').split(',').map((one) => one.trim());
  return brokers.some((broker) => broker !== '' && !isLoopback(addressOf(broker).host));
}

function isOff(text: string | undefined): boolean {
  return text === undefined || text === 'off';
}

/** @throws ConfigurationError where certificate and key are not made for each other, or are too weak */
export function kafkaCluster(values: z.infer<z.ZodObject<typeof kafkaShape>>): KafkaCluster {
  const brokers = values.SURETY_KAFKA_BROKERS;
  return { brokers, tls: secureContext(values), sasl: saslOf(values) };
}

function secureContext(
  values: z.infer<z.ZodObject<typeof kafkaShape>>,
): tls.SecureContext | undefined {
  if (values.SURETY_KAFKA_TLS === 'off') return undefined;
  try {
    return tls.createSecureContext({
      ca: values.SURETY_KAFKA_TLS_CA ?? trustedByTheMachine(),
      cert: values.SURETY_KAFKA_TLS_CERT?.join(''),
      key: values.SURETY_KAFKA_TLS_KEY?.reveal(),
      minVersion: 'TLSv1.2',
    });
  } catch (error) {
    const names = TLS_FILES.join(', ');
    throw new ConfigurationError([
      `${names}: do not go together, or are refused (${codeOf(error)})`,
    ]);
  }
}

/**
 * Undefined: those that Node brings, where the machine has none (a small container image) or Node is
 * older than 22.15 and cannot tell. NODE_EXTRA_CA_CERTS counts in any case.
 */
function trustedByTheMachine(): string[] | undefined {
  if (!('getCACertificates' in tls)) return undefined;
  const certificatesOf = tls.getCACertificates as (kind: 'system' | 'extra') => string[];
  const system = certificatesOf('system');
  return system.length > 0 ? [...system, ...certificatesOf('extra')] : undefined;
}

function saslOf(values: z.infer<z.ZodObject<typeof kafkaShape>>): KafkaSasl | undefined {
  const { SURETY_KAFKA_SASL: mechanism, SURETY_KAFKA_USERNAME: username } = values;
  const password = values.SURETY_KAFKA_PASSWORD;
  if (mechanism === 'off' || username === undefined || password === undefined) return undefined;
  return { mechanism, username, password };
}
