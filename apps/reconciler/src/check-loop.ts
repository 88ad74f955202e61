import { heldTotals, readVerifiedPoint } from '@surety/db';
import type { ShardPools, VerifiedPoint } from '@surety/db';
import { Loop } from '@surety/runtime';
import type { Logger, Metrics } from '@surety/runtime';
import { checkSystem, lastFullOf, oldestPoint } from './checks/check-system.js';
import type { CheckForm, CheckRun } from './checks/check-system.js';
import { JudgedPages } from './checks/since/judged-pages.js';
import { givingWay } from './give-way.js';
import { correctFoundProjections } from './repairs/run-corrections.js';
import { RECONCILER } from './sweeps/repair.js';
import { forgetChecks, reportChecks } from './telemetry.js';

export interface CheckLoopOptions {
  readonly pools: ShardPools;
  readonly intervalMs: number;
  /** Age of the last check of everything at which the next is due; 0: never by itself. */
  readonly fullIntervalMs: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Whether this process is the one that checks. */
  readonly isLeader: () => Promise<boolean>;
}

/** Runs the checks again and again and tells metrics and log what they find. */
export function checkLoop(options: CheckLoopOptions): Loop {
  const { pools, intervalMs, log, metrics, isLeader } = options;
  const gauge = new HoldsGauge(metrics);
  const schedule = new CheckSchedule(options);
  const judged = new JudgedPages();
  const loop: Loop = new Loop({
    intervalMs,
    backoff: { minMs: Math.min(intervalMs, 1_000), maxMs: intervalMs },
    run: async () => {
      await gauge.read(pools);
      if (!(await isLeader())) {
        forgetChecks(metrics);
        return;
      }
      const form = schedule.next(await readPoints(pools, metrics));
      if (!form) return;
      const giveWay = givingWay({ intervalMs, isStopping: () => loop.isStopping });
      const run = await checkSystem(pools, { form, judged, giveWay });
      schedule.ran(run);
      reportChecks(run, log, metrics);
      await copyTruth(options, run);
      metrics.reconciliationRunsTotal.inc({ kind: run.form === 'full' ? 'full_check' : 'check' });
      await readPoints(pools, metrics);
    },
    failed: (error) => {
      metrics.errorsTotal.inc({ kind: 'reconcile_check', shard: 'all' });
      log.warn('the checks could not run and are tried again', { error });
    },
  });
  return loop;
}

/**
 * A projection is a copy and holds no money: what differs is written again from the truth, by itself.
 * The finding stays in the metric until the next run finds nothing.
 */
async function copyTruth({ pools, log, metrics }: CheckLoopOptions, run: CheckRun): Promise<void> {
  const author = { actor: RECONCILER, reason: 'projection_differs' };
  for (const { shard, key, before, after } of await correctFoundProjections(pools, run, author)) {
    metrics.reconciliationRepairsTotal.inc({ kind: 'projection' });
    log.warn(`corrected: ${key}`, { shard, before, after });
  }
}

const MS_PER_SECOND = 1_000;

async function readPoints(pools: ShardPools, metrics: Metrics): Promise<readonly VerifiedPoint[]> {
  const points = await Promise.all(pools.shards.map(readVerifiedPoint));
  const seconds = (at: string | null | undefined): number =>
    at ? Date.parse(at) / MS_PER_SECOND : 0;
  metrics.verifiedPointTime.set(seconds(oldestPoint(points)));
  metrics.fullCheckTime.set(seconds(lastFullOf(points)?.at));
  return points;
}

/** A look at everything that found something makes no point, and must not follow on itself at once. */
const FULL_PAUSE_FACTOR = 10;

/**
 * Says what is due: mostly what is new; everything where that was long ago, or where there is no
 * point to begin from. Ages are the database's, so that a restart makes nothing due.
 */
export class CheckSchedule {
  readonly #options: Pick<CheckLoopOptions, 'fullIntervalMs'>;
  #pauseEndsAt = 0;

  constructor(options: Pick<CheckLoopOptions, 'fullIntervalMs'>) {
    this.#options = options;
  }

  /** Undefined where nothing is due yet. */
  next(points: readonly VerifiedPoint[], nowMs = performance.now()): CheckForm | undefined {
    const hasPoint = oldestPoint(points) !== null;
    if (this.#isFullDue(points) || !hasPoint) {
      if (nowMs >= this.#pauseEndsAt) return 'full';
      return hasPoint ? 'since' : undefined;
    }
    return 'since';
  }

  ran({ form, ms }: Pick<CheckRun, 'form' | 'ms'>, nowMs = performance.now()): void {
    if (form === 'full') this.#pauseEndsAt = nowMs + FULL_PAUSE_FACTOR * ms;
  }

  #isFullDue(points: readonly VerifiedPoint[]): boolean {
    const { fullIntervalMs } = this.#options;
    if (fullIntervalMs === 0) return false;
    return points.some(
      ({ fullAt, now }) =>
        fullAt === null || Date.parse(now) - Date.parse(fullAt) >= fullIntervalMs,
    );
  }
}

/** Asked per shard, so that one that is away leaves only its own series as it was. */
class HoldsGauge {
  readonly #metrics: Metrics;
  /** Currencies seen per shard: one without holds any more is 0, not what it was. */
  readonly #seen = new Map<number, Set<string>>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  async read(pools: ShardPools): Promise<void> {
    await Promise.allSettled(
      pools.shards.map(async (shard) => {
        this.#set(shard.id, await heldTotals(shard));
      }),
    );
  }

  #set(
    shard: number,
    sums: readonly { readonly currency: string; readonly sumMinor: bigint }[],
  ): void {
    const seen = this.#seen.get(shard) ?? new Set();
    this.#seen.set(shard, seen);
    for (const { currency } of sums) seen.add(currency);
    for (const currency of seen) {
      const sum = sums.find((one) => one.currency === currency)?.sumMinor ?? 0n;
      this.#metrics.heldMinor.set({ shard: String(shard), currency }, Number(sum));
    }
  }
}
