import { kafkaShape } from './kafka-settings.js';
import { settings } from './settings.js';
import type { TextForm } from './settings.js';

/**
 * What every process reads. A process adds its own names: `{ ...commonShape(…), PORT: … }`.
 * @param shardUrl of which the runtime knows nothing: those who connect to shards do
 */
export const commonShape = (shardUrl: TextForm) => ({
  SURETY_SHARDS: settings.shards(shardUrl),
  ...kafkaShape,
  /** Partitions of each topic that messages are spread over; a topic may have more, never fewer. */
  SURETY_PARTITIONS: settings.partitions(),
  SURETY_REDIS_URL: settings.redisUrl(),
  SURETY_INSTANCE: settings.instance().optional(),
  SURETY_LOG_LEVEL: settings.logLevel(),
  SURETY_HOST: settings.host(),
  SURETY_ADMIN_PORT: settings.port(0),
  SURETY_POOL_SIZE: settings.positiveInteger(8),
  SURETY_CURRENCIES: settings.currencies(),
  SURETY_DEFAULT_CURRENCY: settings.currency('EUR'),
  /** How long a hold may wait before the reconciler ends its transfer. Milliseconds. */
  HOLD_TIMEOUT: settings.duration('5m'),
});
