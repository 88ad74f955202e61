import type { Clock } from '@surety/runtime';
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
  generation = 0;
  isDown = false;
  pausedSinceMs = Number.NEGATIVE_INFINITY;
  pausedUntilMs = Number.NEGATIVE_INFINITY;
  readonly #main: (life: Life) => Promise<void>;
  /** Its monotonic clock counts from somewhere and at its own pace: nobody else's says the same. */
  #localMs: number;
  #trueMs: number;
  #rate = 1;

  constructor(kernel: Kernel, name: string, main: (life: Life) => Promise<void>, originMs = 0) {
    this.kernel = kernel;
    this.name = name;
    this.#main = main;
    this.#localMs = originMs;
    this.#trueMs = kernel.scheduler.nowMs;
  }

  start(): void {
    this.generation += 1;
    this.isDown = false;
    const life = new Life(this, this.generation);
    this.#main(life).catch((error: unknown) => {
      this.kernel.broken(`${this.name} ended with ${String(error)}`);
    });
  }

  crash(): void {
    const { kernel } = this;
    this.generation += 1;
    this.isDown = true;
    const { generation } = this;
    kernel.note(this.name, 'is killed');
    kernel.scheduler.after(kernel.random.between(RESTART_MS.least, RESTART_MS.most), () => {
      if (this.generation === generation) this.start();
    });
  }

  pause(): void {
    const { scheduler, random } = this.kernel;
    if (this.pausedUntilMs < scheduler.nowMs) this.pausedSinceMs = scheduler.nowMs;
    this.pausedUntilMs = scheduler.nowMs + random.between(PAUSE_MS.least, PAUSE_MS.most);
    this.kernel.note(this.name, 'is paused');
  }

  /** How long nothing has been heard of it. */
  get silentMs(): number {
    const { nowMs } = this.kernel.scheduler;
    return nowMs < this.pausedUntilMs ? nowMs - this.pausedSinceMs : 0;
  }

  /** Its own clock. */
  nowMs(): number {
    return this.#localMs + (this.kernel.scheduler.nowMs - this.#trueMs) * this.#rate;
  }

  /** From now on its clock runs so much faster, or slower, than true time. */
  runAt(rate: number): void {
    this.#localMs = this.nowMs();
    this.#trueMs = this.kernel.scheduler.nowMs;
    this.#rate = rate;
  }

  trueMs(localMs: number): number {
    return localMs / this.#rate;
  }
}

/** One life of a process, from a start to a crash: what its code may wait for. */
export class Life {
  readonly process: SimulatedProcess;
  /** What the process's code takes for time and chance. */
  readonly clock: Clock;
  readonly #generation: number;

  constructor(process: SimulatedProcess, generation: number) {
    this.process = process;
    this.#generation = generation;
    this.clock = {
      nowMs: () => process.nowMs(),
      // In whole milliseconds, as timers are: time that stands still would be waited for for ever.
      after: (ms, run) => this.later(Math.ceil(process.trueMs(ms)), run),
      soon: (run) => {
        this.later(0, run);
      },
      random: () => process.kernel.random.next(),
    };
  }

  get kernel(): Kernel {
    return this.process.kernel;
  }

  get isOver(): boolean {
    return this.process.generation !== this.#generation;
  }

  /** Unique to this life: a process that starts again is somebody else. */
  get instance(): string {
    return `${this.process.name}#${this.#generation}`;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.later(ms, resolve);
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

  /** Runs in this life, and not while it is paused. The result forgets it. */
  later(trueMs: number, run: () => void): () => void {
    const { scheduler } = this.kernel;
    let forget: () => void = () => undefined;
    const wake = (): void => {
      if (this.isOver) return;
      const pausedMs = this.process.pausedUntilMs - scheduler.nowMs;
      if (pausedMs > 0) forget = scheduler.after(pausedMs, wake);
      else run();
    };
    forget = scheduler.after(trueMs, wake);
    return () => {
      forget();
    };
  }
}
