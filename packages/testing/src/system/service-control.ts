import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type ServerKind = 'mariadb' | 'mysql' | 'kafka' | 'redis';

export interface StartedServer {
  readonly url: string;
  readonly pid: number;
  /** Of a server that does not tell it to its clients. */
  readonly version?: string;
}

interface Answer {
  readonly id: number;
  readonly ok: boolean;
  readonly result?: unknown;
  readonly error?: string;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * Real servers for one test run, started and broken on demand. They live in a process of their own
 * that stops them all as soon as this side goes away.
 */
export class ServiceControl {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #pending = new Map<number, Pending>();
  readonly #directory: string;
  #lastId = 0;
  #stderr = '';

  /** @param directory where the servers keep their data; removed first for each fresh server. */
  constructor(repositoryRoot: string, directory: string) {
    this.#directory = directory;
    this.#child = spawn(process.execPath, [join(repositoryRoot, 'tools/services/control.mjs')], {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: repositoryRoot,
      // In a group of its own: a signal to the test run's group would end it before its servers.
      detached: true,
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-8_000);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#settle(JSON.parse(line) as Answer);
    });
    this.#child.on('exit', () => {
      for (const { reject } of this.#pending.values()) {
        reject(new Error(`the service control ended: ${this.#stderr}`));
      }
    });
  }

  start(kind: ServerKind, name: string, options: object = {}): Promise<StartedServer> {
    const dataDir = join(this.#directory, name);
    return this.#ask({ do: 'start', kind, name, dataDir, fresh: true, options });
  }

  async stop(name: string): Promise<void> {
    await this.#ask({ do: 'stop', name });
  }

  async kill(name: string): Promise<void> {
    await this.#ask({ do: 'kill', name });
  }

  restart(name: string): Promise<StartedServer> {
    return this.#ask({ do: 'restart', name });
  }

  /** Starts a server again if it is down. */
  revive(name: string): Promise<StartedServer> {
    return this.#ask({ do: 'revive', name });
  }

  provision(
    name: string,
    prefix: string,
    shards: number,
  ): Promise<{ shardUrls: string[]; migrationUrls: string[] }> {
    return this.#ask({ do: 'provision', name, prefix, shards });
  }

  /** Stops every server and resolves when the control process has ended. */
  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      if (this.#child.exitCode !== null) resolve();
      else this.#child.once('exit', () => resolve());
    });
    this.#child.stdin.end();
    await ended;
  }

  #ask<T>(command: object): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve: (result) => resolve(result as T), reject });
      this.#child.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    });
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.ok) pending?.resolve(answer.result);
    else pending?.reject(new Error(answer.error ?? 'the service control failed'));
  }
}
