/** A wait that a ring cuts short. A ring that nobody waits for cuts short the next wait. */
export class WakeUp {
  #hasRung = false;
  #wake: (() => void) | undefined;

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
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(finish, ms);
      this.#wake = finish;
    });
  }
}
