import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { PROCESS_NODE_ARGUMENTS } from '@surety/runtime';
import { eventually } from '../eventually.js';

export const PROCESS_NAMES = ['ingress', 'relay', 'workers', 'projector', 'reconciler'] as const;
export type ProcessName = (typeof PROCESS_NAMES)[number];

export interface ProcessSpec {
  readonly name: ProcessName;
  /** Tells it from others of its kind. */
  readonly instance: string;
  readonly repositoryRoot: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Where /readyz and /metrics answer. */
  readonly port: number;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;
/** A supervisor's pause before it starts a dead process again; longer for one that cannot stay up. */
const RESTART_AFTER_MS = 200;
const RESTART_AFTER_MAX_MS = 3_200;
/** Who lives so long has come up. */
const UP_AFTER_MS = 15_000;

/** Whoever started them ends without a word: then nobody would ever end them. */
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/**
 * One of our processes, run as in production (its built main), under a small supervisor: between
 * start and stop a death by itself or by kill() is followed by a new start.
 */
export class SuretyProcess {
  readonly name: ProcessName;
  readonly instance: string;
  readonly #spec: ProcessSpec;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #isWanted = false;
  #restartAfterMs = RESTART_AFTER_MS;
  /** How often the process was started. */
  starts = 0;
  /** How often it ended by itself, with a failure, after it had come up. */
  crashes = 0;

  constructor(spec: ProcessSpec) {
    this.#spec = spec;
    this.name = spec.name;
    this.instance = spec.instance;
    mkdirSync(dirname(spec.logFile), { recursive: true });
    this.#log = createWriteStream(spec.logFile, { flags: 'a' });
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.#spec.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    this.launch();
    await this.ready();
  }

  /** Starts it without waiting until it is ready: what it needs may be away. */
  launch(): void {
    this.#isWanted = true;
    this.#spawn();
  }

  /** Resolves when /readyz says so. */
  async ready(withinMs = READY_WITHIN_MS): Promise<void> {
    await eventually(
      `readiness of ${this.name} (see ${this.#spec.logFile})`,
      async () => ((await fetch(`${this.adminUrl}/readyz`)).ok ? true : undefined),
      { withinMs },
    );
  }

  /**
   * Ends the process without a word; the supervisor starts it again.
   * @returns false where it was dead already
   */
  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false;
  }

  /** @returns false where it was dead already */
  pause(): boolean {
    return this.#child?.kill('SIGSTOP') ?? false;
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Graceful end; the process is gone when this resolves, by force if it must be. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await exited;
    clearTimeout(force);
  }

  #hasEnded(): boolean {
    return this.#child?.exitCode !== null || this.#child.signalCode !== null;
  }

  #spawn(): void {
    const { repositoryRoot, name, environment } = this.#spec;
    const main = join(repositoryRoot, 'apps', name, 'dist', 'main.js');
    const child = spawn(process.execPath, [...PROCESS_NODE_ARGUMENTS, main], {
      cwd: repositoryRoot,
      env: { PATH: process.env['PATH'] ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.pipe(this.#log, { end: false });
    child.stderr.pipe(this.#log, { end: false });
    const startedAtMs = performance.now();
    child.once('exit', (code, signal) => {
      living.delete(child);
      const hadComeUp = performance.now() - startedAtMs >= UP_AFTER_MS;
      if (this.#isWanted && signal === null && code !== 0 && hadComeUp) this.crashes += 1;
      // One that was killed had no say in it; one that gave up must not be a load on all the others.
      const gaveUp = signal === null && !hadComeUp;
      const pauseMs = gaveUp ? this.#restartAfterMs : RESTART_AFTER_MS;
      this.#restartAfterMs = gaveUp
        ? Math.min(2 * pauseMs, RESTART_AFTER_MAX_MS)
        : RESTART_AFTER_MS;
      const isLatest = this.#child === child;
      if (isLatest) setTimeout(() => this.#revive(), pauseMs);
    });
    living.add(child);
    this.#child = child;
    this.starts += 1;
  }

  #revive(): void {
    // Stopped and started again within the pause, there is a new one already.
    if (this.#isWanted && this.#hasEnded()) this.#spawn();
  }
}

/**
 * The local ports of a process's TCP connections, from /proc (Linux): what a server sees as the
 * client's port, so that its connections can be told from those of the other processes.
 */
export function localPortsOf(pid: number): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkTarget(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode === undefined ? [] : [inode];
    }),
  );
  return ['tcp', 'tcp6']
    .flatMap((table) =>
      readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1),
    )
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => inodes.has(columns[9] ?? ''))
    .map((columns) => Number.parseInt((columns[1] ?? '').split(':').at(-1) ?? '', 16));
}

/** A descriptor may be closed between being listed and being read. */
function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

// Below the ephemeral range of Linux (32768) and beside what the servers take (20000 to 29999): while
// a process is dead, no outgoing connection of the machine can get the port it will want again.
const PORT_MIN = 30_000;
const PORT_MAX = 32_700;
const PORT_ATTEMPTS_MAX = 200;
const handedOut = new Set<number>();

/** A port on loopback that was free a moment ago, and that nobody else in this process was given. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS_MAX; attempt += 1) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (handedOut.has(port) || !(await isFree(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`no free port between ${PORT_MIN} and ${PORT_MAX}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
