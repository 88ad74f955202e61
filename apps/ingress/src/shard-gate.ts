import { StoreError } from '@surety/saga';
import CircuitBreaker from 'opossum';
import { ShardUnavailable } from './problem.js';

/** Bounds a request to a server that accepts connections and never answers (a paused machine). */
const ANSWER_TIMEOUT_MS = 10_000;
/** How long requests are turned away before one is let through to try. */
const RESET_TIMEOUT_MS = 1_000;
const ROLLING_WINDOW_MS = 5_000;
const ERROR_THRESHOLD_PERCENTAGE = 50;
/** Below this many requests in the window a percentage says nothing. */
const VOLUME_THRESHOLD = 5;
/**
 * Opens whatever the percentage is: the successes of a busy minute would otherwise hide, for the
 * whole window, that the shard is gone.
 */
const CONSECUTIVE_FAILURES_MAX = 3;

export interface ShardGateOptions {
  readonly shard: number;
  readonly answerTimeoutMs?: number;
  readonly resetTimeoutMs?: number;
  readonly opened: (isOpen: boolean) => void;
}

/**
 * Keeps requests from waiting for a shard that is gone. Closed, everything passes. It opens when the
 * environment fails several times in a row or more often than not; then requests are refused at once,
 * those of other shards are not touched. After a moment one request is let through: if the shard
 * answers it, anything at all, the gate closes again.
 *
 * A time-out here says that nobody waits any longer, not that the work was undone.
 */
export class ShardGate {
  readonly shard: number;
  private readonly breaker: CircuitBreaker<[() => Promise<unknown>]>;
  private failuresInARow = 0;

  constructor(options: ShardGateOptions) {
    this.shard = options.shard;
    this.breaker = new CircuitBreaker((work: () => Promise<unknown>) => work(), {
      name: `shard-${options.shard}`,
      timeout: options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
      resetTimeout: options.resetTimeoutMs ?? RESET_TIMEOUT_MS,
      rollingCountTimeout: ROLLING_WINDOW_MS,
      errorThresholdPercentage: ERROR_THRESHOLD_PERCENTAGE,
      volumeThreshold: VOLUME_THRESHOLD,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      errorFilter: (error: unknown) => !isEnvironmentFailure(error),
    });
    this.countFailures();
    this.breaker.on('open', () => {
      options.opened(true);
    });
    this.breaker.on('close', () => {
      options.opened(false);
    });
  }

  /** Whether requests are refused at the moment. */
  get isOpen(): boolean {
    return this.breaker.opened;
  }

  /** @throws ShardUnavailable where the gate is open or no answer came in time; else what work throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return (await this.breaker.fire(work)) as T;
    } catch (error) {
      if (error instanceof Error && CircuitBreaker.isOurError(error)) {
        throw new ShardUnavailable(this.shard, { cause: error });
      }
      throw error;
    }
  }

  close(): void {
    this.breaker.shutdown();
  }

  private countFailures(): void {
    this.breaker.on('success', () => {
      this.failuresInARow = 0;
    });
    this.breaker.on('failure', () => {
      this.failuresInARow += 1;
      if (this.failuresInARow >= CONSECUTIVE_FAILURES_MAX) this.breaker.open();
    });
  }
}

/** Only a failing environment says something about the shard; bad data says something about itself. */
function isEnvironmentFailure(error: unknown): boolean {
  if (error instanceof StoreError) return error.kind === 'environment';
  return error instanceof Error && CircuitBreaker.isOurError(error);
}
