import { SHARD_URL } from '@surety/db';
import { commonShape, parseEnvironment, processConfig, settings } from '@surety/runtime';
import type { ProcessConfig } from '@surety/runtime';
import type { Currency } from '@surety/domain';

const shape = {
  ...commonShape(SHARD_URL),
  /** Age after which an unfinished step is driven again. Milliseconds. */
  SURETY_STALL_TIMEOUT: settings.duration('30s'),
  /** Pause between two passes of the sweeps. Milliseconds. */
  SURETY_RECONCILE_INTERVAL: settings.duration('5s'),
  /**
   * Transfers that come before the end of the list of open ones moves on over them. Whoever asks for
   * what is open reads as many, at about 0.4 µs each; as long do writers wait while it moves. 0: it
   * stays where it is, which on a database of an earlier release means that all are listed.
   */
  SURETY_OPEN_LIST_LAG: settings.wholeNumber(10_000),
  /** Pause between two checks of what has happened since the verified point. Milliseconds. */
  SURETY_CHECK_INTERVAL: settings.duration('1m'),
  /** Age of the last check of everything at which the next is due; 0: only by command. Milliseconds. */
  SURETY_FULL_CHECK_INTERVAL: settings.durationOrZero('24h'),
  /** Pause between two runs of the sealer. Milliseconds. */
  SURETY_SEAL_INTERVAL: settings.duration('1m'),
};

export interface ReconcilerConfig extends ProcessConfig {
  /** The operator's own ones: compared with what is stored, and used for nothing else. */
  readonly ownCurrencies: readonly Currency[];
  readonly holdTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly reconcileIntervalMs: number;
  readonly openListLag: number;
  readonly checkIntervalMs: number;
  readonly fullCheckIntervalMs: number;
  readonly sealIntervalMs: number;
}

/** @throws ConfigurationError */
export function readConfig(environment: NodeJS.ProcessEnv): ReconcilerConfig {
  const values = parseEnvironment(shape, environment);
  return {
    ...processConfig('reconciler', values),
    ownCurrencies: values.SURETY_CURRENCIES,
    holdTimeoutMs: values.HOLD_TIMEOUT,
    stallTimeoutMs: values.SURETY_STALL_TIMEOUT,
    reconcileIntervalMs: values.SURETY_RECONCILE_INTERVAL,
    openListLag: values.SURETY_OPEN_LIST_LAG,
    checkIntervalMs: values.SURETY_CHECK_INTERVAL,
    fullCheckIntervalMs: values.SURETY_FULL_CHECK_INTERVAL,
    sealIntervalMs: values.SURETY_SEAL_INTERVAL,
  };
}
