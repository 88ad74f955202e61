import { sleep } from '@surety/runtime';
import type { SuretyProcess } from '@surety/testing/system';
import { Chance } from '../../e2e/chance.js';
import { inject } from './faults.js';
import { planFaults } from './plan.js';
import type { PlanTimes, PlannedFault } from './plan.js';
import { flowsAgain } from './recovery.js';
import type { ProbeClient, Recovery } from './recovery.js';
import type { World } from './world.js';

export interface InjectedFault extends PlannedFault {
  readonly at: string;
  /** From its turn in the plan to its healing, the wait for its target included. */
  readonly tookMs: number;
  /** It could not be done: what it needed was away. */
  readonly error?: string;
}

export interface CampaignOptions {
  readonly world: Omit<World, 'killed'>;
  readonly client: ProbeClient;
  readonly seed: number;
  readonly times: PlanTimes;
  readonly faultsPerMinute: number;
  readonly lengthMs: number;
  readonly say: (line: string) => void;
}

/** Beyond it faults wait: a system in which nothing works shows nothing. */
const OVERLAPPING_MAX = 4;
/** A fault that takes longer is not waited for by a kill that is to be alone: the kill comes later. */
const LONG_MS = 6_500;
/** Late by no more than so many faults, the plan is caught up with; what is later is given up. */
const BACKLOG_MAX = 8;
/** A kill that is to be alone waits until rounds of transfers were quick for so long. */
const CALM_MS = 6_000;
const CALM_ROUND_MS = 5_000;
const CALM_PAUSE_MS = 500;
/** Else it comes later. */
const CALM_PATIENCE_MS = 20_000;
const MS_PER_MINUTE = 60_000;
const TICK_MS = 50;

/** Goes through the plan of one seed until the time is over, and heals everything at the end. */
export class Campaign {
  readonly injected: InjectedFault[] = [];
  readonly recoveries: Recovery[] = [];
  readonly #options: CampaignOptions;
  readonly #world: World;
  readonly #active = new Set<Promise<void>>();
  readonly #measures = new Set<Promise<void>>();
  /** Kills that wait for a moment without long faults. */
  readonly #alone: PlannedFault[] = [];
  #started = 0;
  #longActive = 0;
  #beforeMs: number | undefined;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#world = { ...options.world, killed: (process) => this.#measure(process) };
  }

  async run(): Promise<void> {
    const { seed, times, lengthMs, faultsPerMinute } = this.#options;
    const endsAtMs = Date.now() + lengthMs;
    const pauses = new Chance(seed + 1);
    const meanMs = MS_PER_MINUTE / faultsPerMinute;
    let nextAtMs = Date.now();
    for (const fault of planFaults(seed, times)) {
      await this.#until(() => Date.now() >= nextAtMs && this.#active.size < OVERLAPPING_MAX);
      if (Date.now() >= endsAtMs) break;
      if (fault.isAlone) this.#alone.push(fault);
      else this.#begin(fault);
      const next = this.#longActive === 0 ? this.#alone.shift() : undefined;
      if (next) await this.#beginAlone(next);
      nextAtMs = Math.max(nextAtMs + pauses.below(2 * meanMs), Date.now() - BACKLOG_MAX * meanMs);
    }
    await this.#settled();
  }

  /** Measured from a system in which nothing else is wrong, and nothing else goes wrong until then. */
  async #beginAlone(fault: PlannedFault): Promise<void> {
    await this.#settled();
    this.#beforeMs = await this.#untilCalm();
    if (this.#beforeMs === undefined) {
      this.#alone.push(fault);
      return;
    }
    this.#begin(fault);
    await this.#settled();
    this.#beforeMs = undefined;
  }

  /**
   * Transfers go through again and again for a while: one good round may lie in a burst between two
   * stretches in which the faults before are still being overcome.
   * @returns what the last round took, or undefined where the system did not come to rest in time
   */
  async #untilCalm(): Promise<number | undefined> {
    const giveUpAtMs = Date.now() + CALM_PATIENCE_MS;
    let goodSinceMs: number | undefined;
    while (Date.now() < giveUpAtMs) {
      const roundAtMs = Date.now();
      const tookMs = await flowsAgain(this.#options.client, roundAtMs).catch(() => undefined);
      if (tookMs === undefined || tookMs > CALM_ROUND_MS) goodSinceMs = undefined;
      else goodSinceMs ??= roundAtMs;
      if (goodSinceMs !== undefined && Date.now() - goodSinceMs >= CALM_MS) return tookMs;
      await sleep(CALM_PAUSE_MS);
    }
    return undefined;
  }

  async #settled(): Promise<void> {
    while (this.#active.size + this.#measures.size > 0) {
      await Promise.all([...this.#active, ...this.#measures]);
    }
  }

  #begin(fault: PlannedFault): void {
    this.#started += 1;
    const isLong = fault.kind === 'rolling restart' || fault.lengthMs > LONG_MS;
    if (isLong) this.#longActive += 1;
    const run = this.#inject(fault).finally(() => {
      this.#active.delete(run);
      if (isLong) this.#longActive -= 1;
    });
    this.#active.add(run);
  }

  async #inject(fault: PlannedFault): Promise<void> {
    const { say } = this.#options;
    const startedAt = Date.now();
    let error: string | undefined;
    try {
      await inject(this.#world, fault);
    } catch (caught) {
      error = caught instanceof Error ? caught.message : String(caught);
    }
    const tookMs = Date.now() - startedAt;
    const at = new Date(startedAt).toISOString();
    this.injected.push({ ...fault, at, tookMs, ...(error === undefined ? {} : { error }) });
    say(`${at} ${fault.kind}: ${fault.target}, ${tookMs} ms${error ? ` (${error})` : ''}`);
  }

  #measure(process: SuretyProcess): void {
    const killedAtMs = Date.now();
    const startedBefore = this.#started;
    const othersBefore = this.#active.size;
    const before = this.#beforeMs === undefined ? {} : { beforeMs: this.#beforeMs };
    const measure = flowsAgain(this.#options.client, killedAtMs)
      .catch(() => Date.now() - killedAtMs)
      .then((tookMs) => {
        const wasAlone = othersBefore <= 1 && this.#started === startedBefore;
        this.recoveries.push({ process: process.name, tookMs, wasAlone, ...before });
      })
      .finally(() => this.#measures.delete(measure));
    this.#measures.add(measure);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(TICK_MS);
  }
}
