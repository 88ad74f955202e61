import type { ShardId, TransferId } from '@surety/domain';

/** Not seen to end in this time: held up by something else than the load, and no longer counted. */
const STUCK_AFTER_MS = 10_000;
/**
 * What goes the same way goes in order: passed by one so much younger, its end was not heard. Not less:
 * rejections end a step or two before the rest. With this, more is never let in than half of what ends,
 * or the floor, in a second, even if every older one were forgotten for their sake.
 */
const OVERTAKEN_MS = 1_000;
/** A source none of whose transfers end for so long, while others do, is not held up by the load. */
const SOURCE_SILENCE_MS = 2_000;
/** Whatever is to be forgotten is looked for no more often. */
const LOOK_EVERY_MS = 100;

interface Accepted {
  readonly atMs: number;
  readonly way: Way;
}

/** What is known of the transfers from one shard. */
interface Way {
  /** When the youngest of those that have ended was accepted. */
  youngestEndedMs: number;
  lastEndAtMs: number;
}

/**
 * The transfers that were accepted for one destination and are not heard to have ended. Those that the
 * load alone cannot have held up are forgotten, if they are looked for: their bell was lost, or the
 * shard of their source is away. A source that is merely slow still ends its own in their order, and
 * all of them count.
 */
export class UnderWay {
  readonly #sourceOf: (id: TransferId) => ShardId;
  readonly #accepted = new Map<TransferId, Accepted>();
  readonly #ways = new Map<ShardId, Way>();
  #lastEndAtMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(sourceOf: (id: TransferId) => ShardId) {
    this.#sourceOf = sourceOf;
  }

  get size(): number {
    return this.#accepted.size;
  }

  add(id: TransferId, nowMs: number): void {
    this.#accepted.set(id, { atMs: nowMs, way: this.#wayFrom(this.#sourceOf(id)) });
  }

  /** Whether it was under way; it is not any more. */
  end(id: TransferId, nowMs: number): boolean {
    const accepted = this.#accepted.get(id);
    if (!accepted) return false;
    this.#accepted.delete(id);
    const { atMs, way } = accepted;
    way.youngestEndedMs = Math.max(way.youngestEndedMs, atMs);
    way.lastEndAtMs = nowMs;
    this.#lastEndAtMs = nowMs;
    return true;
  }

  forgetStuck(nowMs: number): void {
    if (nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    for (const [id, { atMs, way }] of this.#accepted) {
      // In the order of their acceptance: all that follow are younger.
      if (nowMs - atMs < OVERTAKEN_MS) return;
      if (nowMs - atMs > STUCK_AFTER_MS || this.#isPassed(atMs, way)) this.#accepted.delete(id);
    }
  }

  #isPassed(atMs: number, { youngestEndedMs, lastEndAtMs }: Way): boolean {
    if (youngestEndedMs - atMs >= OVERTAKEN_MS) return true;
    return this.#lastEndAtMs - Math.max(atMs, lastEndAtMs) > SOURCE_SILENCE_MS;
  }

  #wayFrom(source: ShardId): Way {
    const known = this.#ways.get(source);
    if (known) return known;
    const never = Number.NEGATIVE_INFINITY;
    const way = { youngestEndedMs: never, lastEndAtMs: never };
    this.#ways.set(source, way);
    return way;
  }
}
