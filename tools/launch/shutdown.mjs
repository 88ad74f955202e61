/** Ends what was started, in reverse order; a second signal does not wait for anything. */
import { say } from './say.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** npm passes a terminal's Ctrl-C on, although it reaches us directly too: one key, two signals. */
const SAME_KEY_MS = 1_000;

/**
 * A stack of things to end; each is pushed before it starts, so that a signal finds it half-way.
 */
export class Shutdown {
  #steps = [];
  #begunAt = 0;

  /** @param {{ label: string, end: () => Promise<void> | void, force?: () => void }} step */
  push(step) {
    this.#steps.push(step);
  }

  /** True once everything is being ended: nothing may be started any more. */
  get hasBegun() {
    return this.#begunAt !== 0;
  }

  /** From now on the first signal ends everything in order, and a later one at once. */
  listen({ exitCode = 0 } = {}) {
    for (const signal of SIGNALS) process.on(signal, () => this.#onSignal(signal, exitCode));
  }

  #onSignal(signal, exitCode) {
    if (this.#begunAt === 0) {
      say(`\n${signal}: ending everything (again to force)`);
      this.run().then(
        () => process.exit(exitCode),
        (error) => {
          say(String(error));
          process.exit(1);
        },
      );
      return;
    }
    if (Date.now() - this.#begunAt < SAME_KEY_MS) return;
    say('forced');
    for (const step of this.#steps) step.force?.();
    process.exit(1);
  }

  /** Every step is tried, also after one that failed; the first failure is reported at the end. */
  async run() {
    if (this.#begunAt !== 0) return;
    this.#begunAt = Date.now();
    const failures = [];
    for (const step of [...this.#steps].reverse()) {
      try {
        await step.end();
        if (step.label) say(`${step.label} ended`);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
