import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What `npm start` writes down about the system that it keeps running. */
export interface SystemFile {
  readonly shardUrls: readonly string[];
  readonly kafkaBrokers: readonly string[];
  readonly redisUrl: string;
}

const FILE = join('.surety', 'system.json');

/** The nearest `.surety/system.json` at or above the directory. */
export function findSystemFile(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const file = join(at, FILE);
    if (existsSync(file)) return file;
    if (dirname(at) === at) return undefined;
  }
}

/**
 * The environment of the processes as the CLI takes it: what is set wins, a running system of this
 * repository fills in the rest.
 * @throws Error where the file is there and cannot be understood.
 */
export function withRunningSystem(
  environment: NodeJS.ProcessEnv,
  directory: string,
): NodeJS.ProcessEnv {
  if (environment['SURETY_SHARDS']) return environment;
  const file = findSystemFile(directory);
  if (!file) return environment;
  const system = parseSystemFile(readFileSync(file, 'utf8'), file);
  return {
    ...environment,
    SURETY_SHARDS: system.shardUrls.join(','),
    SURETY_KAFKA_BROKERS: environment['SURETY_KAFKA_BROKERS'] ?? system.kafkaBrokers.join(','),
    SURETY_REDIS_URL: environment['SURETY_REDIS_URL'] ?? system.redisUrl,
  };
}

function parseSystemFile(text: string, file: string): SystemFile {
  const broken = new Error(`${file} does not describe a system: start it again with npm start`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw broken;
  }
  if (typeof parsed !== 'object' || parsed === null) throw broken;
  const { shardUrls, kafkaBrokers, redisUrl } = parsed as Partial<Record<string, unknown>>;
  if (!isListOfText(shardUrls) || !isListOfText(kafkaBrokers) || typeof redisUrl !== 'string') {
    throw broken;
  }
  return { shardUrls, kafkaBrokers, redisUrl };
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
}
