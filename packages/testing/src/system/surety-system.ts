import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TOPIC_NAMES } from '@surety/contracts';
import { createConnection } from 'mysql2/promise';
import { migrateShards } from '@surety/db';
import { PARTITIONS_DEFAULT, createTopics } from '@surety/runtime';
import { eventually } from '../eventually.js';
import { startBackingServers } from './backing-servers.js';
import type { BackingServers, ServerOptions } from './backing-servers.js';
import { ServiceControl } from './service-control.js';
import { SuretyClient } from './surety-client.js';
import { PROCESS_NAMES, SuretyProcess, freePort } from './surety-process.js';
import type { ProcessName } from './surety-process.js';

export interface SystemOptions extends ServerOptions {
  /** Environment of all processes besides the addresses: HOLD_TIMEOUT and the like. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Processes that are started with the system; the others can be started later. */
  readonly processes?: readonly ProcessName[];
  /** How many of each; default 1. */
  readonly instances?: number;
  /** What the system runs on. Default: servers without passwords and TLS, and one user for all. */
  readonly backing?: (place: BackingPlace) => Promise<Backing>;
  /** Where logs and data are kept. Default: a place that the next \`npm test\` empties. */
  readonly directory?: string;
}

/** Where the servers of a system are started, and where they keep what they need. */
export interface BackingPlace {
  readonly control: ServiceControl;
  readonly repositoryRoot: string;
  readonly directory: string;
}

/** Servers with their schemas, users and topics. */
export interface Backing {
  readonly servers: BackingServers;
  /** How a process, or the operator's CLI, comes to them. */
  environmentOf(name: ProcessName | 'operator'): Readonly<Record<string, string>>;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Dropped at the start of every `npm test`; until then the logs of a failed run can be read. */
const DIRECTORY = '.surety/test';

/** The whole system on real servers of its own, process for process as in production. */
export class SuretySystem {
  readonly control: ServiceControl;
  readonly directory: string;
  readonly #root: string;
  readonly #processes = new Map<ProcessName, SuretyProcess>();
  readonly #environments = new Map<ProcessName, Record<string, string>>();
  #operator: Record<string, string> = {};
  #servers: BackingServers | undefined;
  readonly #others: SuretyProcess[] = [];
  #ingressPort = 0;

  private constructor(root: string, directory: string) {
    this.#root = root;
    mkdirSync(join(root, directory), { recursive: true });
    this.directory = mkdtempSync(join(root, directory, 'e2e-'));
    this.control = new ServiceControl(root, this.directory);
  }

  static async start(options: SystemOptions = {}): Promise<SuretySystem> {
    const system = new SuretySystem(process.cwd(), options.directory ?? DIRECTORY);
    try {
      await system.#bringUp(options);
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  /** The servers behind the system, past whatever stands in front of them. */
  get servers(): BackingServers {
    if (!this.#servers) throw new Error('the servers were not started');
    return this.#servers;
  }

  get shardUrls(): readonly string[] {
    return this.servers.shardUrls;
  }

  /** URLs of the database servers for a user who sees every connection and transaction. */
  get adminUrls(): readonly string[] {
    return this.servers.adminUrls;
  }

  get client(): SuretyClient {
    return new SuretyClient(this.httpUrl);
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.#ingressPort}`;
  }

  /** Every instance of a kind, the first one first. */
  instances(name: ProcessName): readonly SuretyProcess[] {
    return [this.process(name), ...this.#others.filter((one) => one.name === name)];
  }

  /** The environment that a process of this name gets. */
  environment(name: ProcessName): Record<string, string> {
    return { ...this.#environments.get(name) };
  }

  process(name: ProcessName): SuretyProcess {
    const found = this.#processes.get(name);
    if (!found) throw new Error(`${name} was not started`);
    return found;
  }

  /** Starts a process, anew with other settings where some are given. */
  async startProcess(name: ProcessName, settings: Record<string, string> = {}): Promise<void> {
    await this.#processes.get(name)?.stop();
    const port = name === 'ingress' ? this.#ingressPort : await freePort();
    const started = this.#compose(name, port, settings);
    this.#processes.set(name, started);
    await started.start();
  }

  /** Starts one more process of a kind beside the one there is; it is stopped with the system. */
  async startAnother(name: ProcessName, settings: Record<string, string>): Promise<SuretyProcess> {
    const another = await this.launchAnother(name, settings);
    await another.ready();
    return another;
  }

  /** The same without waiting until it is ready: with these settings it may never be. */
  async launchAnother(name: ProcessName, settings: Record<string, string>): Promise<SuretyProcess> {
    const another = this.#compose(name, await freePort(), settings);
    this.#others.push(another);
    another.launch();
    return another;
  }

  #compose(name: ProcessName, port: number, settings: Record<string, string>): SuretyProcess {
    const instance = settings['SURETY_INSTANCE'] ?? `${name}-1`;
    return new SuretyProcess({
      name,
      instance,
      repositoryRoot: this.#root,
      environment: {
        ...this.#environments.get(name),
        // The ingress answers for its health where it serves.
        ...(name === 'ingress' ? { PORT: String(port) } : { SURETY_ADMIN_PORT: String(port) }),
        ...settings,
      },
      logFile: join(this.directory, `${instance}.log`),
      port,
    });
  }

  /** Runs the operator's CLI against this system. */
  surety(...args: string[]): Promise<CommandResult> {
    return this.suretyWith({}, ...args);
  }

  /** The same with other settings. */
  suretyWith(settings: Record<string, string>, ...args: string[]): Promise<CommandResult> {
    const cli = join(this.#root, 'apps/reconciler/bin/surety.mjs');
    const environment = { ...this.#operator, ...settings };
    return runProgram([cli, ...args], { environment, directory: this.directory });
  }

  async stop(): Promise<void> {
    const running = [...this.#others, ...[...this.#processes.values()].reverse()];
    await Promise.allSettled(running.map((one) => one.stop()));
    await this.control.close();
  }

  async #bringUp(options: SystemOptions): Promise<void> {
    const { control, directory } = this;
    const backing = options.backing
      ? await options.backing({ control, directory, repositoryRoot: this.#root })
      : await plainBacking(control, options);
    this.#servers = backing.servers;
    this.#ingressPort = await freePort();
    const common = {
      // Both sides of its end are met with, also where there are few transfers.
      SURETY_OPEN_LIST_LAG: '20',
      ...options.environment,
    };
    for (const name of PROCESS_NAMES) {
      const own = { ...backing.environmentOf(name), SURETY_INSTANCE: `${name}-1` };
      this.#environments.set(name, { ...own, ...common });
    }
    this.#operator = { ...backing.environmentOf('operator'), ...common };
    const wanted = options.processes ?? PROCESS_NAMES;
    await Promise.all(wanted.map((name) => this.#startInstances(name, options.instances ?? 1)));
  }

  async #startInstances(name: ProcessName, instances: number): Promise<void> {
    await this.startProcess(name);
    for (let instance = 2; instance <= instances; instance += 1) {
      await this.startAnother(name, { SURETY_INSTANCE: `${name}-${instance}` });
    }
  }

  /** Waits until no transfer is under way and nothing is left to publish. */
  async drained(withinMs: number): Promise<void> {
    const connections = await Promise.all(this.shardUrls.map((url) => createConnection(url)));
    const count = async (): Promise<number> => {
      const counts = await Promise.all(
        connections.map(async (connection) => {
          const [rows] = await connection.query(
            "SELECT (SELECT COUNT(*) FROM transfers WHERE state IN ('requested', 'held')) + " +
              '(SELECT COUNT(*) FROM outbox) AS n',
          );
          return Number((rows as { n: number | string }[])[0]?.n);
        }),
      );
      return counts.reduce((total, n) => total + n, 0);
    };
    try {
      await eventually(
        'the end of every transfer',
        async () => ((await count()) === 0 ? true : undefined),
        { withinMs, everyMs: 250 },
      );
    } finally {
      await Promise.allSettled(connections.map((connection) => connection.end()));
    }
  }
}

async function plainBacking(control: ServiceControl, options: ServerOptions): Promise<Backing> {
  const servers = await startBackingServers(control, options);
  await migrateShards([...servers.migrationUrls]);
  const topics = { topics: TOPIC_NAMES, partitions: PARTITIONS_DEFAULT };
  await createTopics({ brokers: [servers.broker], ...topics });
  const environment = {
    SURETY_SHARDS: servers.reached.shardUrls.join(','),
    SURETY_KAFKA_BROKERS: servers.reached.broker,
    SURETY_REDIS_URL: servers.reached.redisUrl,
  };
  return { servers, environmentOf: () => environment };
}

/** Runs a program of ours to its end, with nothing of this process's environment but the path. */
export async function runProgram(
  words: readonly string[],
  { environment, directory }: { environment: Record<string, string>; directory: string },
): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'] ?? '', ...environment };
  const options = { env, cwd: directory, maxBuffer: 64 * 1024 * 1024 };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...words], options);
    return { exitCode: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exitCode: code, stdout, stderr };
  }
}
