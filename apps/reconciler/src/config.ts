import { commonShape, defaultInstance, parseEnvironment, settings } from '@surety/runtime';

const shape = {
  ...commonShape,
  /** Age after which an unfinished step is driven again. Milliseconds. */
  SURETY_STALL_TIMEOUT: settings.duration('30s'),
  /** Pause between two passes of the sweeps. Milliseconds. */
  SURETY_RECONCILE_INTERVAL: settings.duration('5s'),
  /** Pause between two runs of all checks. Milliseconds. */
  SURETY_CHECK_INTERVAL: settings.duration('1m'),
};

export interface ReconcilerConfig {
  readonly shardUrls: readonly string[];
  readonly kafkaBrokers: readonly string[];
  readonly redisUrl: string;
  readonly instance: string;
  readonly logLevel: string;
  readonly host: string;
  readonly adminPort: number;
  readonly poolSize: number;
  readonly holdTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly reconcileIntervalMs: number;
  readonly checkIntervalMs: number;
}

/** @throws ConfigurationError */
export function readConfig(environment: NodeJS.ProcessEnv): ReconcilerConfig {
  const values = parseEnvironment(shape, environment);
  return {
    shardUrls: values.SURETY_SHARDS,
    kafkaBrokers: values.SURETY_KAFKA_BROKERS,
    redisUrl: values.SURETY_REDIS_URL,
    instance: values.SURETY_INSTANCE ?? defaultInstance('reconciler'),
    logLevel: values.SURETY_LOG_LEVEL,
    host: values.SURETY_HOST,
    adminPort: values.SURETY_ADMIN_PORT,
    poolSize: values.SURETY_POOL_SIZE,
    holdTimeoutMs: values.HOLD_TIMEOUT,
    stallTimeoutMs: values.SURETY_STALL_TIMEOUT,
    reconcileIntervalMs: values.SURETY_RECONCILE_INTERVAL,
    checkIntervalMs: values.SURETY_CHECK_INTERVAL,
  };
}
