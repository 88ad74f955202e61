import { sleep } from '@surety/runtime';

export interface PeriodicOptions {
  readonly everyMs: number;
  readonly run: () => Promise<void>;
  /** Told of the first failure in a row only. */
  readonly failed: (error: unknown) => void;
}

/** Runs at once and then with a fixed pause until it is stopped. A failure never ends it. */
export class Periodic {
  readonly #options: PeriodicOptions;
  readonly #stopping = new AbortController();
  #done: Promise<void> | undefined;

  constructor(options: PeriodicOptions) {
    this.#options = options;
  }

  start(): void {
    this.#done ??= this.#loop();
  }

  /** Resolves when the run in hand has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #loop(): Promise<void> {
    const { everyMs, run, failed } = this.#options;
    const { signal } = this.#stopping;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await run();
        isFailing = false;
      } catch (error) {
        if (!isFailing) failed(error);
        isFailing = true;
      }
      await sleep(everyMs, signal);
    }
  }
}
