import { SHARD_URL } from '@surety/db';
import { commonShape, parseEnvironment, processConfig, settings } from '@surety/runtime';
import type { ProcessConfig } from '@surety/runtime';
import { WORKER_STEPS, runsEveryStep } from './worker-steps.js';
import type { WorkerStep } from './worker-steps.js';

const shape = {
  ...commonShape(SHARD_URL),
  /** The steps this process runs; those it does not run it leaves to processes of another group. */
  SURETY_WORKER_STEPS: settings.listOf(WORKER_STEPS, WORKER_STEPS.join(',')),
  /** Whether steps that follow on the same shard are taken in the same transaction. */
  SURETY_LOCAL_CHAINING: settings.onOrOff('on'),
};

export interface WorkersConfig extends ProcessConfig {
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
    ...processConfig('workers', values),
    holdTimeoutMs: values.HOLD_TIMEOUT,
    steps,
    chainsLocally: values.SURETY_LOCAL_CHAINING === 'on' && runsEveryStep(steps),
  };
}
