import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { eventually } from '../eventually.js';

export const PROCESS_NAMES = ['ingress', 'relay', 'workers', 'projector', 'reconciler'] as const;
export type ProcessName = (typeof PROCESS_NAMES)[number];

export interface ProcessSpec {
  readonly name: ProcessName;
  readonly repositoryRoot: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Where /readyz and /metrics answer. */
  readonly port: number;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;
/** A supervisor's pause before it starts a dead process again. */
const RESTART_AFTER_MS = 200;

/**
 * One of our processes, run as in production (its built main), under a small supervisor: between
 * start and stop a death by itself or by kill() is followed by a new start.
 */
export class SuretyProcess {
  readonly name: ProcessName;
  readonly #spec: ProcessSpec;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #isWanted = false;
  /** How often the process was started. */
  starts = 0;

  constructor(spec: ProcessSpec) {
    this.#spec = spec;
    this.name = spec.name;
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
    this.#isWanted = true;
    this.#spawn();
    await this.ready();
  }

  /** Resolves when /readyz says so. */
  async ready(): Promise<void> {
    await eventually(
      `readiness of ${this.name} (see ${this.#spec.logFile})`,
      async () => ((await fetch(`${this.adminUrl}/readyz`)).ok ? true : undefined),
      { withinMs: READY_WITHIN_MS },
    );
  }

  /** Ends the process without a word; the supervisor starts it again. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
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

  #spawn(): void {
    const { repositoryRoot, name, environment } = this.#spec;
    const main = join(repositoryRoot, 'apps', name, 'dist', 'main.js');
    const child = spawn(process.execPath, [main], {
      cwd: repositoryRoot,
      env: { PATH: process.env['PATH'] ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.pipe(this.#log, { end: false });
    child.stderr.pipe(this.#log, { end: false });
    child.once('exit', () => {
      const isLatest = this.#child === child;
      if (isLatest) setTimeout(() => this.#revive(), RESTART_AFTER_MS);
    });
    this.#child = child;
    this.starts += 1;
  }

  #revive(): void {
    if (this.#isWanted) this.#spawn();
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

/** A port on loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
