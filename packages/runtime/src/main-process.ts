import { setFlagsFromString } from 'node:v8';
import { ConfigurationError } from './configuration-error.js';
import type { RunningProcess } from './lifecycle.js';
import { createLogger, type Logger } from './log.js';
import { defaultInstance } from './settings.js';

/** EX_CONFIG of sysexits.h: starting again without a change of the environment is pointless. */
export const EXIT_CONFIGURATION = 78;
export const EXIT_CRASH = 1;
/** 128 + SIGINT: somebody insisted. */
export const EXIT_FORCED = 130;

/**
 * How much the heap may grow, in per cent of what is alive, before all of it is looked through again.
 * Left to itself V8 lets a small heap become four times as large where the machine has gigabytes:
 * what a burst left behind then stays in memory. A quarter keeps processes small of which much is
 * alive, or that make little garbage; no heap is refused its growth.
 */
const HEAP_GROWTH_PERCENT = 25;

/**
 * For consumers and for ingress: what they have in hand grows old while a transaction runs or while
 * requests wait to be let in, so their heaps fill up fast. Looking through them at every quarter took
 * a seventh of a consumer's processor time at full load, and a quarter of ingress' at twice that.
 */
export const HEAP_GROWTH_PERCENT_WITH_WORK_IN_HAND = 50;

/**
 * By how much the young generation grows at once, where what outlives a collection asks for more. By
 * V8's doubling it takes minutes of load to come to its full size, and everything that lives for a
 * moment is called old until then: what is not alive any more piles up, as a leak would.
 */
const YOUNG_GROWTH_FACTOR = 16;

export interface MainOptions {
  readonly heapGrowthPercent?: number;
}

/**
 * What Node is given on the command line of each process, because V8 reads it before any of our code
 * runs. Since Node 24 the young generation may grow until a process takes 250 MB; semi-spaces of
 * 16 MB at the most keep it to 130 to 170 MB. A container has the same in its NODE_OPTIONS. Without
 * it everything works, in more memory.
 */
export const PROCESS_NODE_ARGUMENTS: readonly string[] = ['--max-semi-space-size=16'];

export type StartProcess = (environment: NodeJS.ProcessEnv) => Promise<RunningProcess>;

/** What the supervision needs of the machine; tests hand in their own. */
export interface ProcessHost {
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Logger;
  onSignal(listener: (signal: string) => void): void;
  onUncaught(listener: (error: unknown) => void): void;
  exit(code: number): void;
  printError(line: string): void;
}

/**
 * Runs a process to its end. It is starting, running or stopping. The first SIGINT or SIGTERM makes
 * it stop in good order (exit 0; during the start it stops as soon as the start is over), a second
 * one ends it at once (130). Mistakes in the environment are printed as a list (78). Anything else
 * that ends it is a crash: one log line, exit 1.
 */
export async function runMain(
  name: string,
  start: StartProcess,
  { heapGrowthPercent = HEAP_GROWTH_PERCENT }: MainOptions = {},
): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
  setFlagsFromString(`--semi-space-growth-factor=${YOUNG_GROWTH_FACTOR}`);
  const log = createLogger({
    process: name,
    instance: process.env['SURETY_INSTANCE'] ?? defaultInstance(name),
    level: 'info',
  });
  await superviseProcess(name, start, {
    environment: process.env,
    log,
    onSignal: (listener) => {
      process.on('SIGINT', listener);
      process.on('SIGTERM', listener);
    },
    onUncaught: (listener) => {
      process.on('uncaughtException', listener);
      process.on('unhandledRejection', listener);
    },
    exit: (code) => {
      // One turn of the loop lets the last log line reach the pipe.
      setImmediate(() => process.exit(code));
    },
    printError: (line) => {
      process.stderr.write(`${line}\n`);
    },
  });
}

/** `runMain` without the real process. Resolves when an exit code has been given. */
export function superviseProcess(
  name: string,
  start: StartProcess,
  host: ProcessHost,
): Promise<void> {
  return new Promise((resolve) => {
    new Supervision(name, host, resolve).begin(start);
  });
}

class Supervision {
  private readonly name: string;
  private readonly host: ProcessHost;
  private readonly finished: () => void;
  private running: RunningProcess | undefined;
  private signalCount = 0;
  private hasExited = false;

  constructor(name: string, host: ProcessHost, finished: () => void) {
    this.name = name;
    this.host = host;
    this.finished = finished;
  }

  begin(start: StartProcess): void {
    this.host.onSignal((signal) => {
      this.signalled(signal);
    });
    this.host.onUncaught((error) => {
      this.crash(error);
    });
    Promise.resolve()
      .then(() => start(this.host.environment))
      .then(
        (running) => {
          this.started(running);
        },
        (error: unknown) => {
          this.failedToStart(error);
        },
      );
  }

  private started(running: RunningProcess): void {
    this.running = running;
    running.done.then(
      () => {
        this.exit(0);
      },
      (error: unknown) => {
        this.crash(error);
      },
    );
    if (this.signalCount > 0) {
      this.stop(running);
    }
  }

  private failedToStart(error: unknown): void {
    if (!(error instanceof ConfigurationError)) {
      this.crash(error);
      return;
    }
    this.host.printError(`${this.name} cannot start, its environment is wrong:`);
    error.mistakes.forEach((mistake) => {
      this.host.printError(`  - ${mistake}`);
    });
    this.exit(EXIT_CONFIGURATION);
  }

  private signalled(signal: string): void {
    this.signalCount += 1;
    if (this.signalCount > 1) {
      this.host.log.warn('second signal, ending at once', { signal });
      this.exit(EXIT_FORCED);
      return;
    }
    this.host.log.info('stopping', { signal });
    if (this.running) {
      this.stop(this.running);
    }
  }

  private stop(running: RunningProcess): void {
    running.stop().then(
      () => {
        this.exit(0);
      },
      (error: unknown) => {
        this.crash(error);
      },
    );
  }

  private crash(error: unknown): void {
    if (!this.hasExited) {
      this.host.log.error(`${this.name} cannot go on`, { error });
    }
    this.exit(EXIT_CRASH);
  }

  private exit(code: number): void {
    if (!this.hasExited) {
      this.hasExited = true;
      this.host.exit(code);
      this.finished();
    }
  }
}
