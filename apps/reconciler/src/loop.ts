import { backoffMs, sleep } from '@surety/runtime';

export interface LoopOptions {
  readonly intervalMs: number;
  readonly backoff: { readonly minMs: number; readonly maxMs: number };
  readonly run: () => Promise<void>;
  /** Handles the failure; the loop goes on after a pause that grows with failures in a row. */
  readonly failed: (error: unknown) => void;
}

/** Runs again and again until it is stopped; a failure never ends it and never makes it spin. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #stopping = new AbortController();
  #done: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
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
    const { intervalMs, backoff, run, failed } = this.#options;
    let failures = 0;
    while (!this.isStopping) {
      try {
        await run();
        failures = 0;
      } catch (error) {
        failed(error);
        failures += 1;
      }
      const pauseMs = failures === 0 ? intervalMs : backoffMs(failures - 1, backoff);
      await sleep(pauseMs, this.#stopping.signal);
    }
  }
}
