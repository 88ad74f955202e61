import { heldTotals } from '@surety/db';
import type { ShardPools } from '@surety/db';
import { Loop } from '@surety/runtime';
import type { Logger, Metrics } from '@surety/runtime';
import { runChecks } from './checks/run-checks.js';
import { reportChecks } from './telemetry.js';

export interface CheckLoopOptions {
  readonly pools: ShardPools;
  readonly intervalMs: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Whether this process is the one that checks. */
  readonly isLeader: () => Promise<boolean>;
}

/** Runs every check again and again and tells metrics and log what it finds; repairs nothing. */
export function checkLoop(options: CheckLoopOptions): Loop {
  const { pools, intervalMs, log, metrics, isLeader } = options;
  const gauge = new HoldsGauge(metrics);
  return new Loop({
    intervalMs,
    backoff: { minMs: Math.min(intervalMs, 1_000), maxMs: intervalMs },
    run: async () => {
      await gauge.read(pools);
      if (!(await isLeader())) {
        // Findings of an earlier time as leader would stay for ever.
        metrics.reconciliationFindings.reset();
        return;
      }
      reportChecks(await runChecks(pools), log, metrics);
      metrics.reconciliationRunsTotal.inc({ kind: 'check' });
    },
    failed: (error) => {
      metrics.errorsTotal.inc({ kind: 'reconcile_check', shard: 'all' });
      log.warn('the checks could not run and are tried again', { error });
    },
  });
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
