import { REAL_CLOCK } from '@surety/runtime';
import type { Clock } from '@surety/runtime';

/** A wait that a ring cuts short. A ring that nobody waits for cuts short the next wait. */
export class WakeUp {
  readonly #clock: Clock;
  #hasRung = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock = REAL_CLOCK) {
    this.#clock = clock;
  }

  ring(): void {
    if (this.#wake) this.#wake();
    else this.#hasRung = true;
  }

  /** Resolves after `ms`, or as soon as it rings. */
  wait(ms: number): Promise<void> {
    if (this.#hasRung || ms <= 0) {
      this.#hasRung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const finish = (): void => {
        forget();
        this.#wake = undefined;
        resolve();
      };
      const forget = this.#clock.after(ms, finish);
      this.#wake = finish;
    });
  }
}
