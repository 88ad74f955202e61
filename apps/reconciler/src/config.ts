import { commonShape, parseEnvironment, processConfig, settings } from '@surety/runtime';
import type { ProcessConfig } from '@surety/runtime';

const shape = {
  ...commonShape,
  /** Age after which an unfinished step is driven again. Milliseconds. */
  SURETY_STALL_TIMEOUT: settings.duration('30s'),
  /** Pause between two passes of the sweeps. Milliseconds. */
  SURETY_RECONCILE_INTERVAL: settings.duration('5s'),
  /** Pause between two runs of all checks. Milliseconds. */
  SURETY_CHECK_INTERVAL: settings.duration('1m'),
};

export interface ReconcilerConfig extends ProcessConfig {
  readonly holdTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly reconcileIntervalMs: number;
  readonly checkIntervalMs: number;
}

/** @throws ConfigurationError */
export function readConfig(environment: NodeJS.ProcessEnv): ReconcilerConfig {
  const values = parseEnvironment(shape, environment);
  return {
    ...processConfig('reconciler', values),
    holdTimeoutMs: values.HOLD_TIMEOUT,
    stallTimeoutMs: values.SURETY_STALL_TIMEOUT,
    reconcileIntervalMs: values.SURETY_RECONCILE_INTERVAL,
    checkIntervalMs: values.SURETY_CHECK_INTERVAL,
  };
}
