import { z } from 'zod';
import { ConfigurationError } from './configuration-error.js';
import { kafkaMistakes } from './kafka-settings.js';

/**
 * Every name under our prefix that any process reads. One list for all processes, because they are
 * started with one environment: a name that only another process knows is no mistake, a name that
 * nobody knows is a typing error that would otherwise leave a default in force unnoticed.
 */
export const KNOWN_NAMES: readonly string[] = [
  'SURETY_SHARDS',
  'SURETY_MIGRATION_SHARDS',
  'SURETY_KAFKA_BROKERS',
  'SURETY_KAFKA_TLS',
  'SURETY_KAFKA_TLS_CA',
  'SURETY_KAFKA_TLS_CERT',
  'SURETY_KAFKA_TLS_KEY',
  'SURETY_KAFKA_SASL',
  'SURETY_KAFKA_USERNAME',
  'SURETY_KAFKA_PASSWORD',
  'SURETY_PARTITIONS',
  'SURETY_REDIS_URL',
  'SURETY_INSTANCE',
  'SURETY_LOG_LEVEL',
  'SURETY_HOST',
  'SURETY_ADMIN_PORT',
  'SURETY_STALL_TIMEOUT',
  'SURETY_RECONCILE_INTERVAL',
  'SURETY_OPEN_LIST_LAG',
  'SURETY_CHECK_INTERVAL',
  'SURETY_FULL_CHECK_INTERVAL',
  'SURETY_SEAL_INTERVAL',
  'SURETY_POOL_SIZE',
  'SURETY_INGRESS_QUEUE_MAX',
  'SURETY_WORKER_STEPS',
  'SURETY_LOCAL_CHAINING',
  'SURETY_DEFAULT_CURRENCY',
  'SURETY_CURRENCIES',
  'SURETY_OPERATOR',
  'SURETY_PROCESSES',
  'SURETY_CACHE_DIR',
];

const PREFIX = 'SURETY_';
const TEST_PREFIX = 'SURETY_TEST_';

/**
 * Reads the names of `shape` from the environment. An empty value counts as not set.
 * No message repeats a value, because values hold passwords.
 *
 * @throws ConfigurationError that lists all mistakes, unknown SURETY_ names included.
 * @throws Error where `shape` has a SURETY_ name that is missing in KNOWN_NAMES.
 */
export function parseEnvironment<S extends z.ZodRawShape>(
  shape: S,
  environment: NodeJS.ProcessEnv,
): z.infer<z.ZodObject<S>> {
  assertNamesAreListed(Object.keys(shape));
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = z.object(shape).safeParse(present);
  const mistakes = [
    ...(parsed.success ? [] : parsed.error.issues.map(describeIssue)),
    ...('SURETY_KAFKA_SASL' in shape ? kafkaMistakes(present) : []),
    ...unknownNames(environment).map((name) => `${name}: is not a known setting`),
  ];
  if (!parsed.success || mistakes.length > 0) {
    throw new ConfigurationError([...new Set(mistakes)]);
  }
  return parsed.data;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const name = String(issue.path[0] ?? 'environment');
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined;
  const isAbsent = isMissing && issue.message.includes('undefined');
  return `${name}: ${isAbsent ? 'is required' : issue.message}`;
}

function unknownNames(environment: NodeJS.ProcessEnv): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !name.startsWith(TEST_PREFIX))
    .filter((name) => !KNOWN_NAMES.includes(name))
    .sort();
}

function assertNamesAreListed(names: readonly string[]): void {
  const missing = names.filter((name) => name.startsWith(PREFIX) && !KNOWN_NAMES.includes(name));
  if (missing.length > 0) {
    throw new Error(`add to KNOWN_NAMES, or other processes refuse it: ${missing.join(', ')}`);
  }
}
