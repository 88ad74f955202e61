import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { connectRedis, createLogger } from '@surety/runtime';
import type { Logger, RedisHandle } from '@surety/runtime';
import { keyHashOf } from './canonical.js';
import { readConfig } from './config.js';
import { TENANT } from './exchange.js';
import { start } from './start.js';
import type { RunningIngress } from './start.js';

/** What specs of this package share; nothing else imports it. */

const REDIS_URL = process.env['SURETY_TEST_REDIS_URL'] ?? '';

export interface SpecOptions {
  /** Default: one that is silent. */
  readonly log?: Logger;
  /** Beside what every ingress needs. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** An ingress on these shards, with the Redis of the run and without Kafka. */
export function startOn(
  urls: readonly string[],
  { log = silent(), settings = {} }: SpecOptions = {},
): Promise<RunningIngress> {
  const config = readConfig({
    SURETY_SHARDS: urls.join(','),
    SURETY_KAFKA_BROKERS: '127.0.0.1:9',
    SURETY_REDIS_URL: REDIS_URL,
    PORT: '0',
    ...settings,
  });
  return start(config, { log });
}

function silent(): Logger {
  const log = createLogger({ process: 'ingress', instance: 'spec', level: 'error' });
  log.silent = true;
  return log;
}

/** The Redis of the run, ready. */
export async function redisFor(name: string): Promise<RedisHandle> {
  const redis = connectRedis({ url: REDIS_URL, name, log: silent() });
  await new Promise<void>((resolve) => redis.client.once('ready', () => resolve()));
  return redis;
}

/** Where Redis has what is remembered of a client's key. */
export function memoryOf(key: string): string {
  return `surety:key:${keyHashOf(TENANT, key)}`;
}

/** Until an ingress is connected to Redis, its key memory knows nothing of any key. */
export async function untilRemembered(
  redis: RedisHandle,
  use: (key: string) => Promise<unknown>,
): Promise<void> {
  for (;;) {
    const key = randomUUID();
    await use(key);
    if ((await redis.client.exists(memoryOf(key))) === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** All that comes until the server ends. */
export function answersOn(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      socket.end();
      resolve(text);
    });
  });
}
