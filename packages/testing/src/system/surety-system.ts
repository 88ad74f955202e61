import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PARTITION_COUNT, TOPIC_NAMES } from '@surety/contracts';
import { createConnection } from 'mysql2/promise';
import { migrateShards } from '@surety/db';
import { createTopics } from '@surety/runtime';
import { eventually } from '../eventually.js';
import { ServiceControl } from './service-control.js';
import type { ServerKind } from './service-control.js';
import { SuretyClient } from './surety-client.js';
import { PROCESS_NAMES, SuretyProcess, freePort } from './surety-process.js';
import type { ProcessName } from './surety-process.js';

export interface SystemOptions {
  /** One database server for all shards, or one for each so that a single shard can be stopped. */
  readonly servers?: 'shared' | 'separate';
  readonly shards?: number;
  /** Environment of all processes besides the addresses: HOLD_TIMEOUT and the like. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Processes that are started with the system; the others can be started later. */
  readonly processes?: readonly ProcessName[];
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
  #shardUrls: string[] = [];
  #adminUrls: string[] = [];
  readonly #others: SuretyProcess[] = [];
  #ingressPort = 0;

  private constructor(root: string) {
    this.#root = root;
    this.directory = mkdtempSync(join(root, DIRECTORY, 'e2e-'));
    this.control = new ServiceControl(root, this.directory);
  }

  static async start(options: SystemOptions = {}): Promise<SuretySystem> {
    const root = process.cwd();
    mkdirSync(join(root, DIRECTORY), { recursive: true });
    const system = new SuretySystem(root);
    try {
      await system.#bringUp(options);
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  get shardUrls(): readonly string[] {
    return this.#shardUrls;
  }

  /** URLs of the database servers for a user who sees every connection and transaction. */
  get adminUrls(): readonly string[] {
    return this.#adminUrls;
  }

  get client(): SuretyClient {
    return new SuretyClient(this.httpUrl);
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.#ingressPort}`;
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
    const another = this.#compose(name, await freePort(), settings);
    this.#others.push(another);
    await another.start();
    return another;
  }

  #compose(name: ProcessName, port: number, settings: Record<string, string>): SuretyProcess {
    const instance = settings['SURETY_INSTANCE'] ?? `${name}-1`;
    return new SuretyProcess({
      name,
      repositoryRoot: this.#root,
      environment: {
        ...this.#environments.get(name),
        SURETY_ADMIN_PORT: String(port),
        ...settings,
      },
      logFile: join(this.directory, `${instance}.log`),
      port,
    });
  }

  /** Runs the operator's CLI against this system. */
  async surety(...args: string[]): Promise<CommandResult> {
    const cli = join(this.#root, 'apps/reconciler/bin/surety.mjs');
    const env = { PATH: process.env['PATH'] ?? '', ...this.#environments.get('reconciler') };
    try {
      const run = promisify(execFile);
      const options = { env, cwd: this.directory, maxBuffer: 64 * 1024 * 1024 };
      const { stdout, stderr } = await run(process.execPath, [cli, ...args], options);
      return { exitCode: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { exitCode: code, stdout, stderr };
    }
  }

  async stop(): Promise<void> {
    const running = [...this.#others, ...[...this.#processes.values()].reverse()];
    await Promise.allSettled(running.map((one) => one.stop()));
    await this.control.close();
  }

  async #bringUp(options: SystemOptions): Promise<void> {
    const [kafka, redis, urls] = await Promise.all([
      this.control.start('kafka', 'kafka'),
      this.control.start('redis', 'redis'),
      this.#startShards(options),
    ]);
    this.#shardUrls = urls.shardUrls;
    await migrateShards(urls.migrationUrls);
    const topics = { topics: TOPIC_NAMES, partitions: PARTITION_COUNT };
    await createTopics({ brokers: [kafka.url], ...topics });
    this.#ingressPort = await freePort();
    for (const name of PROCESS_NAMES) {
      this.#environments.set(name, {
        SURETY_SHARDS: urls.shardUrls.join(','),
        SURETY_KAFKA_BROKERS: kafka.url,
        SURETY_REDIS_URL: redis.url,
        SURETY_INSTANCE: `${name}-1`,
        ...(name === 'ingress' ? { PORT: String(this.#ingressPort) } : {}),
        ...options.environment,
      });
    }
    const wanted = options.processes ?? PROCESS_NAMES;
    await Promise.all(wanted.map((name) => this.startProcess(name)));
  }

  async #startShards({
    servers = 'shared',
    shards = 2,
  }: SystemOptions): Promise<{ shardUrls: string[]; migrationUrls: string[] }> {
    const kind = (process.env['SURETY_TEST_MYSQL_ENGINE'] ?? 'mariadb') as ServerKind;
    if (servers === 'shared') {
      const server = await this.control.start(kind, 'shards');
      this.#adminUrls = [server.url];
      return this.control.provision('shards', 'surety', shards);
    }
    const each = await Promise.all(
      Array.from({ length: shards }, async (_, shard) => {
        const name = `shard${shard}`;
        const server = await this.control.start(kind, name, { bufferPoolMb: 128 });
        const urls = await this.control.provision(name, `surety${shard}`, 1);
        return { ...urls, adminUrl: server.url };
      }),
    );
    this.#adminUrls = each.map((one) => one.adminUrl);
    return {
      shardUrls: each.flatMap((one) => one.shardUrls),
      migrationUrls: each.flatMap((one) => one.migrationUrls),
    };
  }

  /** Waits until no transfer is under way and nothing is left to publish. */
  async drained(withinMs: number): Promise<void> {
    const connections = await Promise.all(this.#shardUrls.map((url) => createConnection(url)));
    const count = async (): Promise<number> => {
      const counts = await Promise.all(
        connections.map(async (connection) => {
          const [rows] = await connection.query(
            'SELECT (SELECT COUNT(*) FROM open_transfers) + (SELECT COUNT(*) FROM outbox) AS n',
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
