import { LeaseKeeper, Loop, REAL_CLOCK, sleep } from '@surety/runtime';
import type { Clock, Lease, Logger, Metrics } from '@surety/runtime';
import { shardOfSlot } from '@surety/domain';
import type { ShardId } from '@surety/domain';
import type { Fence, SlotMaps } from '@surety/saga';
import type { PatrolListener, PatrolShard } from './patrol/ports.js';
import { ShardPatrol } from './patrol/shard-patrol.js';
import type { ReconcilerConfig } from './config.js';
import { LEASE_NAME, LEASE_RENEWALS_PER_TTL, LEASE_TTL_MS } from './lease.js';
import { ItemBackoff } from './sweeps/item-backoff.js';
import { BY_ITSELF } from './sweeps/repair.js';
import type { RepairListener } from './sweeps/repair.js';
import { Announcements } from './announcements.js';
import { isFencedError, runRouted } from './sweeps/routing.js';
import type { RoutableSweepShard } from './sweeps/routing.js';
import { ShardSweeps } from './sweeps/run-sweeps.js';

/** A pause between two attempts at the same item never grows beyond this. */
const ITEM_PAUSE_MAX_MS = 3_600_000;
/** Items remembered per shard: some tens of megabytes at most. */
const ITEMS_MAX = 100_000;
/** A destination's shard that was away is asked again within this time. */
const SHARD_PAUSE_MAX_MS = 30_000;
/** Pause between two passes of the patrol at the least: it walks tables, and nothing waits for it. */
const PATROL_INTERVAL_MIN_MS = 1_000;
/** Bounds one pass that moves the end of the list where nobody has for long; the next one goes on. */
const LIST_MOVES_PER_PASS_MAX = 100;
/** Writers get on between two moves. */
const LIST_MOVE_REST_MS = 20;
/** A pass that failed is tried again within this time, so that a shard that is back is served soon. */
const PASS_PAUSE_MAX_MS = 15_000;

type LoopKind = 'lease' | 'sweep' | 'list' | 'patrol';

export interface ShardLoopsOptions {
  readonly config: Pick<
    ReconcilerConfig,
    'holdTimeoutMs' | 'stallTimeoutMs' | 'reconcileIntervalMs' | 'openListLag'
  >;
  readonly source: RoutableSweepShard;
  readonly lease: Lease;
  readonly clock?: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly listener: RepairListener;
  readonly slotMaps: SlotMaps;
  /** All shards by their ids: the source and every destination. */
  readonly shards: readonly RoutableSweepShard[];
  /** What walks the tables beside the sweeps; left out where only open work is to be swept. */
  readonly patrol?: PatrolNeeds;
}

export interface PatrolNeeds {
  /** All shards by their ids. */
  readonly shards: readonly PatrolShard[];
  readonly listener: PatrolListener;
  /** Wakes the relay of a shard. */
  readonly ringOutbox: (shard: ShardId) => void;
}

/**
 * What the process does for one shard: a loop that keeps the lease and a loop that sweeps while the
 * lease is held. Nothing that happens to another shard reaches these two.
 */
export class ShardLoops {
  readonly #options: ShardLoopsOptions;
  readonly #keeper: LeaseKeeper;
  readonly #leaseLoop: Loop;
  readonly #sweepLoop: Loop;
  readonly #listLoop: Loop;
  readonly #sweeps = new ShardSweeps();
  readonly #announcements: Announcements;
  readonly #itemBackoff: ItemBackoff;
  readonly #shardBackoff: ItemBackoff;
  readonly #patrol: ShardPatrol;
  readonly #patrolLoop: Loop;

  constructor(options: ShardLoopsOptions) {
    this.#options = options;
    const { config, lease } = options;
    const { clock = REAL_CLOCK } = options;
    const now = (): number => clock.nowMs();
    this.#keeper = new LeaseKeeper({ lease, ttlMs: LEASE_TTL_MS, nowMs: now });
    this.#itemBackoff = new ItemBackoff({
      firstMs: config.stallTimeoutMs,
      maxMs: Math.max(ITEM_PAUSE_MAX_MS, config.stallTimeoutMs),
      itemsMax: ITEMS_MAX,
      now,
      random: () => clock.random(),
    });
    this.#shardBackoff = new ItemBackoff({
      firstMs: Math.min(config.reconcileIntervalMs, SHARD_PAUSE_MAX_MS),
      maxMs: SHARD_PAUSE_MAX_MS,
      itemsMax: ITEMS_MAX,
      now,
      random: () => clock.random(),
    });
    const others = options.shards.filter(({ id }) => id !== options.source.id);
    this.#announcements = new Announcements(others, this.#shardBackoff);
    const renewMs = LEASE_TTL_MS / LEASE_RENEWALS_PER_TTL;
    this.#leaseLoop = this.#loop('lease', renewMs, () => this.#keeper.keep());
    this.#sweepLoop = this.#loop('sweep', config.reconcileIntervalMs, () => this.#pass());
    this.#listLoop = this.#loop('list', config.reconcileIntervalMs, () => this.#listPass());
    this.#patrol = new ShardPatrol({ stallTimeoutMs: config.stallTimeoutMs, nowMs: now });
    const patrolMs = Math.max(config.reconcileIntervalMs, PATROL_INTERVAL_MIN_MS);
    this.#patrolLoop = this.#loop('patrol', patrolMs, () => this.#patrolPass());
  }

  /** Whether this process is the one that sweeps the shard; asks for the lease where it is not. */
  async lead(): Promise<boolean> {
    if (!this.#keeper.isHeld) await this.#keeper.keep();
    return this.#keeper.isHeld;
  }

  start(): void {
    this.#leaseLoop.start();
    this.#sweepLoop.start();
    if (this.#options.config.openListLag > 0) this.#listLoop.start();
    if (this.#options.patrol) this.#patrolLoop.start();
  }

  /** Ends the pass in hand at its next batch and gives the lease back. */
  async stop(): Promise<void> {
    const loops = [this.#patrolLoop, this.#listLoop, this.#sweepLoop, this.#leaseLoop];
    await Promise.all(loops.map((loop) => loop.stop()));
    await this.#keeper.release();
  }

  async #pass(): Promise<void> {
    await this.#underLease(async (fence) => {
      await this.#announcements.make(fence);
      await this.#passUnder(fence);
    });
  }

  async #patrolPass(): Promise<void> {
    const { config, source, patrol, slotMaps, metrics } = this.#options;
    const shard = patrol?.shards[source.id];
    if (!patrol || !shard) return;
    // What was told as leader would stay for ever: others tell it now.
    if (!(await this.lead())) patrol.listener.strays(shard.id, 0);
    await this.#underLease(async (fence) => {
      await this.#patrol.run({
        ...{ shard, fence, listener: patrol.listener, stallTimeoutMs: config.stallTimeoutMs },
        shardOf: (slot) => patrol.shards[shardOfSlot(slotMaps.current(), slot)] ?? shard,
        refreshMap: async () => {
          await slotMaps.reload();
        },
        ringOutbox: () => {
          patrol.ringOutbox(source.id);
        },
        mayGoOn: () => this.#keeper.token === fence.token && !this.#patrolLoop.isStopping,
      });
      metrics.reconciliationRunsTotal.inc({ kind: 'patrol' });
    });
  }

  /** Where a newer holder is known, the work ends and the lease is taken as lost. */
  async #underLease(work: (fence: Fence) => Promise<void>): Promise<void> {
    if (!(await this.lead())) return;
    const { token } = this.#keeper;
    if (token === undefined) return;
    await this.#mapOrReload();
    const fence = { shard: this.#options.source.id, lease: LEASE_NAME, token };
    try {
      await work(fence);
    } catch (error) {
      if (!isFencedError(error)) throw error;
      this.#lost(fence, error);
    }
  }

  async #passUnder(fence: Fence): Promise<void> {
    const { config, source, listener, metrics, slotMaps, shards } = this.#options;
    await runRouted({ slotMaps, shards, source: source.id, fence }, (route) =>
      this.#sweeps.run({
        ...route,
        holdTimeoutMs: config.holdTimeoutMs,
        stallTimeoutMs: config.stallTimeoutMs,
        dryRun: false,
        author: BY_ITSELF,
        itemBackoff: this.#itemBackoff,
        shardBackoff: this.#shardBackoff,
        listener,
        mayGoOn: () => this.#keeper.token === fence.token && !this.#sweepLoop.isStopping,
      }),
    );
    metrics.reconciliationRunsTotal.inc({ kind: 'sweep' });
  }

  /** By itself, so that a sweep that fails does not let the range behind the end of the list grow. */
  async #listPass(): Promise<void> {
    const { config, source, clock = REAL_CLOCK } = this.#options;
    await this.#underLease(async (fence) => {
      for (let move = 0; move < LIST_MOVES_PER_PASS_MAX; move += 1) {
        if (this.#keeper.token !== fence.token || this.#listLoop.isStopping) return;
        if (!(await source.moveListEnd(config.openListLag, fence))) return;
        await sleep(LIST_MOVE_REST_MS, undefined, clock);
      }
    });
  }

  /** This process was paused for longer than its lease lived, and wrote nothing after that. */
  #lost({ shard, token }: Fence, error: unknown): void {
    const { log, metrics } = this.#options;
    this.#keeper.lost(token);
    metrics.errorsTotal.inc({ kind: 'reconcile_fenced', shard: String(shard) });
    log.warn(`the sweeps of shard ${shard} have a newer leader: this pass ends`, { shard, error });
  }

  /** At the start every shard may be away: the map is read as soon as one answers. */
  async #mapOrReload(): Promise<void> {
    const { slotMaps } = this.#options;
    try {
      slotMaps.current();
    } catch {
      await slotMaps.reload();
    }
  }

  #loop(kind: LoopKind, intervalMs: number, run: () => Promise<void>): Loop {
    const { log, metrics, source, clock = REAL_CLOCK } = this.#options;
    return new Loop({
      clock,
      intervalMs,
      backoff: { minMs: intervalMs, maxMs: Math.max(intervalMs, PASS_PAUSE_MAX_MS) },
      run,
      failed: (error) => {
        metrics.errorsTotal.inc({ kind: `reconcile_${kind}`, shard: String(source.id) });
        log.warn(`the ${kind} of shard ${source.id} failed and is tried again`, {
          shard: source.id,
          error,
        });
      },
    });
  }
}
