import { cpus } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { join, relative } from 'node:path';
import { appendFileSync, mkdirSync } from 'node:fs';
import { eventually } from '@surety/testing/system';
import type { ServerKind } from '@surety/testing/system';
import { checkJournal } from '../checker/check-journal.js';
import { projectionsBehind } from '../checker/projections-behind.js';
import { ChaosLoad } from '../journal/chaos-load.js';
import type { ChaosLoadStats } from '../journal/chaos-load.js';
import { ProbeClient } from '../journal/probe-client.js';
import { Campaign } from './campaign.js';
import type { InjectedFault } from './campaign.js';
import { ChaosSystem } from './chaos-system.js';
import { dumpTables } from './dump.js';
import { PROBE_ACCOUNTS } from './recovery.js';
import type { Recovery } from './recovery.js';
import { replayEverything, untilRead } from './replay.js';
import type { Replay } from './replay.js';
import { versionsOf } from './versions.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly faultsPerMinute: number;
  readonly engine: ServerKind;
  /** Where logs, journal and data of the run lie. */
  readonly directory?: string;
  readonly concurrency?: number;
  /** The promise: transfers go on so long after a kill, with nothing else wrong. */
  readonly goOnWithinMs?: number;
  readonly say: (line: string) => void;
}

export interface ChaosResult {
  readonly seed: number;
  readonly minutes: number;
  readonly faultsPerMinute: number;
  readonly engine: ServerKind;
  readonly startedAt: string;
  readonly cores: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly faults: readonly InjectedFault[];
  readonly wires: ReturnType<ChaosSystem['wires']['counts']>;
  readonly recoveries: readonly Recovery[];
  readonly load: ChaosLoadStats;
  /** From the healing of everything to the end of the last transfer. */
  readonly lastEndMs: number;
  /** How long the process with the clients and the proxies once did not get to run. */
  readonly latestMs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly commands: readonly string[];
  readonly replay: Replay | undefined;
  /** In words; none is the promise. */
  readonly violations: readonly string[];
  /** Kept where something was violated. */
  readonly directory: string;
}

export const HOLD_TIMEOUT_MS = 15_000;
/** The promise beyond the hold timeout. */
const ENDS_AFTER_MS = 30_000;
const LEASE_MS = 6_000;
const GO_ON_WITHIN_MS = 10_000;
const ACCOUNTS = 300;
const CONCURRENCY = 24;
/** Beyond the promise, so that what is late is told from what never comes. */
const PATIENCE_MS = 120_000;
const MS_PER_MINUTE = 60_000;
const NS_PER_MS = 1_000_000;
const PROGRESS_EVERY_MS = 15_000;

/** One campaign of faults on a system of its own, and everything that is to hold after it. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, engine, directory, say } = options;
  const chaos = await ChaosSystem.start({
    ...{ seed, engine, holdTimeoutMs: HOLD_TIMEOUT_MS },
    ...(directory === undefined ? {} : { directory }),
  });
  try {
    say(`seed ${seed}; logs and journal in ${chaos.system.directory}`);
    return await new Run(chaos, options).go();
  } finally {
    await chaos.stop();
  }
}

class Run {
  readonly #chaos: ChaosSystem;
  readonly #options: ChaosOptions;
  readonly #load: ChaosLoad;
  readonly #campaign: Campaign;
  readonly #violations: string[] = [];
  readonly #commands: string[] = [];
  readonly #startedAt = new Date();
  /** The proxies live in this process: what it is late, every server seems to be late. */
  readonly #lateness = monitorEventLoopDelay({ resolution: 20 });
  readonly #journalFile: string;
  #latestMs = 0;

  constructor(chaos: ChaosSystem, options: ChaosOptions) {
    this.#chaos = chaos;
    this.#options = options;
    this.#journalFile = join(chaos.system.directory, 'journal.jsonl');
    const { seed, minutes, faultsPerMinute, concurrency = CONCURRENCY } = options;
    this.#load = new ChaosLoad({
      ...{ journalFile: this.#journalFile, baseUrls: chaos.baseUrls, seed },
      ...{ accounts: ACCOUNTS, otherAccounts: PROBE_ACCOUNTS, concurrency },
    });
    this.#campaign = new Campaign({
      world: chaos,
      client: new ProbeClient(this.#load.client, chaos.baseUrls),
      ...{ seed, faultsPerMinute, lengthMs: minutes * MS_PER_MINUTE },
      times: { holdTimeoutMs: HOLD_TIMEOUT_MS, leaseMs: LEASE_MS },
      say: (line) => this.#note(line),
    });
  }

  async go(): Promise<ChaosResult> {
    const { say } = this.#options;
    await this.#load.start();
    this.#lateness.enable();
    const progress = setInterval(() => say(this.#progress()), PROGRESS_EVERY_MS);
    try {
      await this.#campaign.run();
    } finally {
      clearInterval(progress);
      this.#lateness.disable();
    }
    say(this.#progress());
    const lastEndMs = await this.#healAndDrain();
    const journal = await this.#examine();
    const replay = await this.#replay();
    this.#judgeRecoveries();
    this.#judgeCrashes();
    if (this.#violations.length > 0) await this.#keepTables();
    return this.#result(lastEndMs, journal, replay);
  }

  /** Faults are over: from here on every transfer has the promised time to end. */
  async #healAndDrain(): Promise<number> {
    const { say } = this.#options;
    await this.#chaos.heal();
    const healedAt = performance.now();
    await this.#load.stop();
    await this.#must('every process is ready', () => this.#chaos.ready());
    await this.#must('every transfer ends', () => this.#chaos.system.drained(PATIENCE_MS));
    const lastEndMs = Math.round(performance.now() - healedAt);
    say(`everything had ended ${lastEndMs} ms after the healing`);
    if (lastEndMs > HOLD_TIMEOUT_MS + ENDS_AFTER_MS) {
      this.#violations.push(`the last transfer ended ${lastEndMs} ms after the healing`);
    }
    const { unfinished } = await this.#load.drain(PATIENCE_MS);
    if (unfinished > 0) this.#violations.push(`${unfinished} clients saw no end`);
    return lastEndMs;
  }

  /**
   * News that a deleted topic took along never reach the projector: the reconciler's patrol finds
   * what they left behind and makes it good from the truth.
   */
  async #untilProjected(): Promise<void> {
    const { shardUrls } = this.#chaos.system;
    const startedAt = performance.now();
    const isProjected = async (): Promise<true | undefined> =>
      (await projectionsBehind(shardUrls)) === 0 ? true : undefined;
    const patience = { withinMs: PATIENCE_MS, everyMs: 500 };
    await eventually('projections that say what is true', isProjected, patience);
    const tookMs = Math.round(performance.now() - startedAt);
    this.#options.say(`projections said what is true after another ${tookMs} ms`);
  }

  /** What the operator's commands say, then what a checker says that knows only the tables. */
  async #examine(): Promise<Record<string, number>> {
    await this.#must('every message is read', () => untilRead(this.#chaos));
    await this.#must('projections are made good', () => this.#untilProjected());
    await this.#command('check', '--full');
    await this.#command('verify');
    const { shardUrls } = this.#chaos.system;
    const { violations, counts } = await checkJournal({
      journalFile: this.#journalFile,
      shardUrls,
    });
    this.#violations.push(...violations);
    this.#options.say(`journal against tables: ${violations.length} violations`);
    return counts;
  }

  async #replay(): Promise<Replay | undefined> {
    let replay: Replay | undefined;
    await this.#must('everything is replayed', async () => {
      replay = await replayEverything(this.#chaos);
    });
    if (!replay) return undefined;
    const { messages, tables, changed } = replay;
    this.#options.say(
      `${messages} messages replayed, ${changed.length} of ${tables} tables changed`,
    );
    this.#violations.push(...changed.map((table) => `a replay from zero changed ${table}`));
    return replay;
  }

  async #keepTables(): Promise<void> {
    const { shardUrls, directory } = this.#chaos.system;
    const dumps = join(directory, 'tables');
    mkdirSync(dumps, { recursive: true });
    await dumpTables(shardUrls, dumps);
  }

  #judgeRecoveries(): void {
    const { goOnWithinMs = GO_ON_WITHIN_MS } = this.#options;
    for (const { process, tookMs, wasAlone } of this.#campaign.recoveries) {
      if (wasAlone && tookMs > goOnWithinMs) {
        this.#violations.push(`after a kill of ${process} transfers went on after ${tookMs} ms`);
      }
    }
  }

  /** Whatever its servers do, a process that has come up stays until somebody ends it. */
  #judgeCrashes(): void {
    for (const { instance, crashes } of this.#chaos.processes) {
      if (crashes > 0) this.#violations.push(`${instance} ended by itself, ${crashes} times`);
    }
  }

  /** What it finds is a violation, and so is that it could not run. */
  async #command(...args: string[]): Promise<void> {
    const { exitCode, stdout, stderr } = await this.#chaos.system.surety(...args);
    const line = `surety ${args.join(' ')}: exit code ${exitCode}`;
    this.#options.say(line);
    this.#commands.push(line);
    if (exitCode !== 0) this.#violations.push(`${line}\n${stdout}${stderr}`);
  }

  async #must(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#violations.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #note(line: string): void {
    appendFileSync(join(this.#chaos.system.directory, 'faults.log'), `${line}\n`);
  }

  #progress(): string {
    const { submitted, committed, rejected, cancelled, unknown, unfinished } = this.#load.stats;
    const seconds = Math.round((Date.now() - this.#startedAt.getTime()) / 1_000);
    const lateMs = Math.round(this.#lateness.max / NS_PER_MS);
    this.#latestMs = Math.max(this.#latestMs, lateMs);
    this.#lateness.reset();
    return (
      `${seconds} s: ${this.#campaign.injected.length} faults; ${submitted} transfers submitted, ` +
      `${committed} committed, ${rejected} rejected, ${cancelled} cancelled, ` +
      `${unfinished} under way; ${unknown} answers unknown; late by up to ${lateMs} ms`
    );
  }

  async #result(
    lastEndMs: number,
    counts: Record<string, number>,
    replay: Replay | undefined,
  ): Promise<ChaosResult> {
    const { seed, minutes, faultsPerMinute, engine } = this.#options;
    return {
      ...{
        seed,
        minutes,
        faultsPerMinute,
        engine,
        lastEndMs,
        counts,
        replay,
        latestMs: this.#latestMs,
      },
      startedAt: this.#startedAt.toISOString(),
      cores: cpus().length,
      versions: await versionsOf(this.#chaos.system.servers),
      faults: this.#campaign.injected,
      wires: this.#chaos.wires.counts(),
      recoveries: this.#campaign.recoveries,
      load: this.#load.stats,
      commands: this.#commands,
      violations: this.#violations,
      directory: relative(process.cwd(), this.#chaos.system.directory),
    };
  }
}
