import { commonShape, defaultInstance, parseEnvironment, settings } from '@surety/runtime';
import { WORKER_STEPS, runsEveryStep } from './worker-steps.js';
import type { WorkerStep } from './worker-steps.js';

const shape = {
  ...commonShape,
  /** The steps this process runs; those it does not run it leaves to processes of another group. */
  SURETY_WORKER_STEPS: settings.listOf(WORKER_STEPS, WORKER_STEPS.join(',')),
  /** Whether steps that follow on the same shard are taken in the same transaction. */
  SURETY_LOCAL_CHAINING: settings.listOf(['on', 'off'], 'on'),
};

export interface WorkersConfig {
  readonly shardUrls: readonly string[];
  readonly kafkaBrokers: readonly string[];
  readonly redisUrl: string;
  readonly instance: string;
  readonly logLevel: string;
  readonly host: string;
  readonly adminPort: number;
  readonly poolSize: number;
  readonly holdTimeoutMs: number;
  readonly steps: readonly WorkerStep[];
  /** Only where every step is run here: a chain must not take steps that are another process's. */
  readonly chainsLocally: boolean;
}

/** @throws ConfigurationError */
export function readConfig(environment: NodeJS.ProcessEnv): WorkersConfig {
  const values = parseEnvironment(shape, environment);
  const steps = values.SURETY_WORKER_STEPS;
  return {
    shardUrls: values.SURETY_SHARDS,
    kafkaBrokers: values.SURETY_KAFKA_BROKERS,
    redisUrl: values.SURETY_REDIS_URL,
    instance: values.SURETY_INSTANCE ?? defaultInstance('workers'),
    logLevel: values.SURETY_LOG_LEVEL,
    host: values.SURETY_HOST,
    adminPort: values.SURETY_ADMIN_PORT,
    poolSize: values.SURETY_POOL_SIZE,
    holdTimeoutMs: values.HOLD_TIMEOUT,
    steps,
    chainsLocally: values.SURETY_LOCAL_CHAINING.includes('on') && runsEveryStep(steps),
  };
}
