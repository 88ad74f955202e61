import { REAL_CLOCK } from './clock.js';
import type { Clock } from './clock.js';
import { backoffMs, sleep } from './retry.js';

export interface LoopOptions {
  /** The pause after a run that succeeded; without a backoff, after every run. */
  readonly intervalMs: number;
  readonly backoff?: { readonly minMs: number; readonly maxMs: number };
  readonly clock?: Clock;
  readonly run: () => Promise<void>;
  /** Handles the failure; the loop goes on. `inARow` counts failures since the last success, from 1. */
  readonly failed: (error: unknown, inARow: number) => void;
}

/** Runs at once and again and again until it is stopped; a failure never ends it and never makes it spin. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #done: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#clock = options.clock ?? REAL_CLOCK;
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  start(): void {
    this.#done ??= this.#turn();
  }

  /** Wakes the loop out of its pause and waits for the run in hand. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #turn(): Promise<void> {
    const { run, failed } = this.#options;
    let failures = 0;
    while (!this.isStopping) {
      try {
        await run();
        failures = 0;
      } catch (error) {
        failures += 1;
        failed(error, failures);
      }
      await sleep(this.#pauseMs(failures), this.#stopping.signal, this.#clock);
    }
  }

  #pauseMs(failures: number): number {
    const { intervalMs, backoff } = this.#options;
    if (failures === 0 || backoff === undefined) return intervalMs;
    const { random } = this.#clock;
    return backoffMs(failures - 1, { ...backoff, random });
  }
}
