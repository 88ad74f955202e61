import type { Faults } from './faults.js';
import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

/** What everything in one simulated world shares. */
export interface Kernel {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly faults: Faults;
  /** A broken promise, or an error that no correct process meets. */
  readonly broken: (message: string, transferIds?: readonly string[]) => void;
  readonly note: (who: string, text: string, transferIds?: readonly string[]) => void;
}

/** A crash is over within this time; a pause is longer than every lease. */
const RESTART_MS = { least: 100, most: 5_000 };
const PAUSE_MS = { least: 8_000, most: 25_000 };
const LATENCY_MS = { least: 1, most: 20 };

/**
 * A process that lives, is killed and starts again. What its main function keeps in memory is gone
 * with the crash; whatever it waited for never comes.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly kernel: Kernel;
  /** Its monotonic clock counts from somewhere: nobody else's says the same. */
  skewMs = 0;
  generation = 0;
  pausedUntilMs = Number.NEGATIVE_INFINITY;
  readonly #main: (life: Life) => Promise<void>;

  constructor(kernel: Kernel, name: string, main: (life: Life) => Promise<void>) {
    this.kernel = kernel;
    this.name = name;
    this.#main = main;
  }

  start(): void {
    this.generation += 1;
    const life = new Life(this, this.generation);
    this.#main(life).catch((error: unknown) => {
      this.kernel.broken(`${this.name} ended with ${String(error)}`);
    });
  }

  crash(): void {
    const { kernel } = this;
    this.generation += 1;
    const { generation } = this;
    kernel.note(this.name, 'is killed');
    kernel.scheduler.after(kernel.random.between(RESTART_MS.least, RESTART_MS.most), () => {
      if (this.generation === generation) this.start();
    });
  }

  pause(): void {
    const { scheduler, random } = this.kernel;
    this.pausedUntilMs = scheduler.nowMs + random.between(PAUSE_MS.least, PAUSE_MS.most);
    this.kernel.note(this.name, 'is paused');
  }
}

/** One life of a process, from a start to a crash: what its code may wait for. */
export class Life {
  readonly process: SimulatedProcess;
  readonly #generation: number;

  constructor(process: SimulatedProcess, generation: number) {
    this.process = process;
    this.#generation = generation;
  }

  get kernel(): Kernel {
    return this.process.kernel;
  }

  /** The process's own clock. */
  nowMs(): number {
    return this.kernel.scheduler.nowMs + this.process.skewMs;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeAfter(ms, resolve);
    });
  }

  /** A call to somebody else: it takes time, and the process may not be there for the answer. */
  async roundTrip(): Promise<void> {
    const { faults, random } = this.kernel;
    if (faults.strikes('crash')) {
      this.process.crash();
      await new Promise(() => undefined);
    }
    if (faults.strikes('pause')) this.process.pause();
    await this.sleep(random.between(LATENCY_MS.least, LATENCY_MS.most));
  }

  #wakeAfter(ms: number, wake: () => void): void {
    const { scheduler } = this.kernel;
    scheduler.after(ms, () => {
      if (this.process.generation !== this.#generation) return;
      const pausedMs = this.process.pausedUntilMs - scheduler.nowMs;
      if (pausedMs > 0) this.#wakeAfter(pausedMs, wake);
      else wake();
    });
  }
}
