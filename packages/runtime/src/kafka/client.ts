import { Kafka, logLevel, type logCreator } from 'kafkajs';
import type { Logger } from '../log.js';
import { calmTimers, libraryRequestQueue } from './calm-timers.js';
import { verifiedBy } from './cluster.js';
import type { KafkaCluster } from './cluster.js';
import { librarySasl } from './library-sasl.js';

export interface ClientOptions extends KafkaCluster {
  readonly clientId: string;
  readonly log?: Logger;
}

const CONNECTION_TIMEOUT_MS = 3000;
/** Until a request without an answer counts as failed. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Retries inside the library are few and short: whatever lasts longer is our own loops' matter,
 * which log it, show it in readiness and start afresh. All values are given, because the library has
 * other defaults when NODE_ENV is `test`.
 */
export const CLIENT_RETRY = {
  initialRetryTime: 100,
  maxRetryTime: 1000,
  multiplier: 2,
  factor: 0.2,
  retries: 5,
} as const;

/**
 * A client per user: clients share offsets between consumers of one group, and with them the
 * position of a predecessor that was thrown away.
 */
export function createClient(options: ClientOptions): Kafka {
  calmTimers(libraryRequestQueue().prototype);
  const { tls, sasl } = options;
  return new Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    ...(tls ? { ssl: verifiedBy(tls) } : {}),
    ...(sasl ? { sasl: librarySasl(sasl, tls !== undefined) } : {}),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: CLIENT_RETRY,
    logLevel: logLevel.WARN,
    logCreator: logsTo(options.log),
  });
}

/**
 * The library reports every attempt and every rebalance as an error. What matters the adapters log
 * themselves, once; its own lines are for debugging.
 */
function logsTo(log: Logger | undefined): logCreator {
  return () => (entry) => {
    const { message, timestamp: _timestamp, logger: _logger, ...fields } = entry.log;
    log?.debug(`kafka client: ${message}`, { ...fields, area: entry.namespace });
  };
}
