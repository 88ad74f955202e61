import { isFencedError } from '../sweeps/routing.js';
import { KEYS_ROUND_REST_MS, removeExpiredKeys } from './expired-keys.js';
import type { PatrolContext } from './ports.js';
import { repairStaleProjections } from './projections.js';
import { STRAY_AGE_MS, StrayDecisions } from './stray-decisions.js';
import { Suspects } from './suspects.js';
import { Positions } from './walk.js';

/** Suspects remembered of each kind: some megabytes at most. */
const SUSPECTS_MAX = 10_000;
/** An outbox is told of once in so many stall time-outs: a dead relay is no news every few seconds. */
const OUTBOX_ALARM_STALLS = 2;

/**
 * What open work does not show: decisions that no source knows, projections that say something else
 * than the truth, an outbox that nobody empties, keys that have lived their time. It walks the tables
 * a bounded page at a time, so that a pass costs the same whatever the history.
 */
export class ShardPatrol {
  readonly #nowMs: () => number;
  readonly #strays: StrayDecisions;
  readonly #stale: Suspects<string>;
  #outboxToldMs = Number.NEGATIVE_INFINITY;
  #keysRestUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly stallTimeoutMs: number; readonly nowMs: () => number }) {
    const { stallTimeoutMs, nowMs } = options;
    this.#nowMs = nowMs;
    const itemsMax = SUSPECTS_MAX;
    this.#strays = new StrayDecisions(new Suspects({ ageMs: STRAY_AGE_MS, itemsMax, nowMs }));
    this.#stale = new Suspects({ ageMs: stallTimeoutMs, itemsMax, nowMs });
  }

  /**
   * One pass. A part that fails does not keep the others from running.
   * @throws StoreError of kind `fenced` as soon as that is known; else the first failure
   */
  async run(context: PatrolContext): Promise<void> {
    const { now, positions: read } = await context.shard.positions();
    const walk = { now, positions: new Positions(read) };
    const parts: readonly (() => Promise<void>)[] = [
      () => this.#lookAtOutbox(context),
      () => this.#strays.find(context, walk),
      () => repairStaleProjections(context, walk, this.#stale),
      () => this.#removeKeys(context, walk.positions),
    ];
    const failures: unknown[] = [];
    for (const part of parts) {
      if (!context.mayGoOn()) break;
      try {
        await part();
      } catch (error) {
        if (isFencedError(error)) throw error;
        failures.push(error);
      }
    }
    await context.shard.keepPositions(walk.positions.moved);
    if (failures.length > 0) throw failures[0];
  }

  async #removeKeys(context: PatrolContext, positions: Positions): Promise<void> {
    if (this.#nowMs() < this.#keysRestUntilMs) return;
    const { removed, isRoundOver } = await removeExpiredKeys(context, positions);
    if (isRoundOver) this.#keysRestUntilMs = this.#nowMs() + KEYS_ROUND_REST_MS;
    if (removed > 0) context.listener.keysRemoved(context.shard.id, removed);
  }

  async #lookAtOutbox(context: PatrolContext): Promise<void> {
    const { shard, stallTimeoutMs, listener } = context;
    const ageMs = await shard.outboxAgeMs();
    if (ageMs <= stallTimeoutMs) return;
    context.ringOutbox();
    if (this.#nowMs() - this.#outboxToldMs < OUTBOX_ALARM_STALLS * stallTimeoutMs) return;
    this.#outboxToldMs = this.#nowMs();
    listener.trouble({
      kind: 'outbox_old',
      shard: shard.id,
      message: `the outbox of shard ${shard.id} holds messages for ${Math.round(ageMs / 1000)} s`,
    });
  }
}
