import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What `npm start` writes down about the system that it keeps running. */
export interface SystemFile {
  readonly shardUrls: readonly string[];
  readonly kafkaBrokers: readonly string[];
  readonly redisUrl: string;
  /** What the system was started with, by the names of the environment. */
  readonly settings: Readonly<Record<string, string>>;
  /** By name, where each answers for its health. */
  readonly processes: Readonly<Record<string, { readonly adminUrl: string }>>;
  /** The `npm start` that keeps it running. */
  readonly launcherPid: number | undefined;
}

/**
 * Settings of the running system that a command must share: with other time-outs than the system's
 * own, a pass would end transfers that the system still means to wait for.
 */
const SHARED_SETTINGS = [
  'HOLD_TIMEOUT',
  'SURETY_STALL_TIMEOUT',
  'SURETY_CURRENCIES',
  'SURETY_DEFAULT_CURRENCY',
] as const;

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
 * What runs here, or undefined where nothing was started.
 * @throws Error where the file is there and cannot be understood.
 */
export function readSystemFile(directory: string): SystemFile | undefined {
  const file = findSystemFile(directory);
  return file === undefined ? undefined : parseSystemFile(readFileSync(file, 'utf8'), file);
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
  const system = readSystemFile(directory);
  if (!system) return environment;
  return {
    ...environment,
    ...sharedSettings(environment, system.settings),
    SURETY_SHARDS: system.shardUrls.join(','),
    SURETY_KAFKA_BROKERS: environment['SURETY_KAFKA_BROKERS'] ?? system.kafkaBrokers.join(','),
    SURETY_REDIS_URL: environment['SURETY_REDIS_URL'] ?? system.redisUrl,
  };
}

/** An empty value counts as not set, as it does for the processes. */
function sharedSettings(
  environment: NodeJS.ProcessEnv,
  settings: SystemFile['settings'],
): NodeJS.ProcessEnv {
  const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';
  const filledIn = SHARED_SETTINGS.filter(
    (name) => !isSet(environment[name]) && isSet(settings[name]),
  );
  return Object.fromEntries(filledIn.map((name) => [name, settings[name]]));
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
  const {
    shardUrls,
    kafkaBrokers,
    redisUrl,
    settings = {},
    processes = {},
    launcherPid,
  } = parsed as Partial<Record<string, unknown>>;
  if (!isListOfText(shardUrls) || !isListOfText(kafkaBrokers) || typeof redisUrl !== 'string') {
    throw broken;
  }
  if (!isTextByName(settings)) throw broken;
  return {
    ...{ shardUrls, kafkaBrokers, redisUrl, settings },
    processes: addressesOf(processes),
    launcherPid: numberOf(launcherPid),
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Entries without an address are left out: what runs there cannot be asked. */
function addressesOf(processes: unknown): SystemFile['processes'] {
  if (typeof processes !== 'object' || processes === null) return {};
  const entries = Object.entries(processes as Record<string, { adminUrl?: unknown } | null>);
  return Object.fromEntries(
    entries.flatMap(([name, process]) =>
      typeof process?.adminUrl === 'string' ? [[name, { adminUrl: process.adminUrl }]] : [],
    ),
  );
}

function isTextByName(value: unknown): value is Readonly<Record<string, string>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && Object.values(value).every((one) => typeof one === 'string');
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
}
