import { Redis } from 'ioredis';
import type { HealthCheck } from './health.js';
import type { Logger } from './log.js';
import { backoffMs } from './retry.js';

export interface RedisOptions {
  readonly url: string;
  /** Name of the connection in CLIENT LIST and in log lines. */
  readonly name: string;
  readonly log: Logger;
}

/** A connection that is allowed to be away: commands fail fast then, nothing queues. */
export interface RedisHandle {
  readonly client: Redis;
  readonly available: boolean;
  readonly check: HealthCheck;
  close(): Promise<void>;
}

/** A command that takes longer counts as failed: Redis only holds copies, waiting helps nobody. */
const COMMAND_TIMEOUT_MS = 1000;
const CONNECT_TIMEOUT_MS = 3000;
/** A server that answers nothing for so long is gone, though the socket looks open. */
const SILENCE_MAX_MS = 5000;
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 2000;

/** Connects in the background and again for ever, with capped backoff. Never throws. */
export function connectRedis(options: RedisOptions): RedisHandle {
  const client = openRedis(options);
  return {
    client,
    get available() {
      return client.status === 'ready';
    },
    check: async () => {
      await client.ping();
    },
    close: () => closeRedis(client),
  };
}

/** The client with our settings; the doorbell opens its two connections with it too. */
export function openRedis(options: RedisOptions): Redis {
  const client = new Redis(options.url, {
    connectionName: options.name,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    // A script carries what was gathered already: waiting for others gains nothing.
    autoPipeliningIgnoredCommands: ['evalsha', 'eval'],
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_MAX_MS,
    retryStrategy: (times) =>
      backoffMs(times - 1, { minMs: RECONNECT_MIN_MS, maxMs: RECONNECT_MAX_MS }),
  });
  reportOutages(client, options);
  return client;
}

/** Every attempt to reconnect emits an error: one line per outage, one when it is over. */
function reportOutages(client: Redis, { name, log }: RedisOptions): void {
  let isAway = false;
  const report = (error?: Error): void => {
    if (!isAway) {
      isAway = true;
      log.warn('redis is away', { connection: name, ...(error ? { error } : {}) });
    }
  };
  client.on('error', report);
  client.on('reconnecting', () => {
    report();
  });
  client.on('ready', () => {
    if (isAway) {
      isAway = false;
      log.info('redis is back', { connection: name });
    }
  });
}

export async function closeRedis(client: Redis): Promise<void> {
  if (client.status === 'ready') {
    await client.quit().catch(() => undefined);
  }
  client.disconnect();
}
