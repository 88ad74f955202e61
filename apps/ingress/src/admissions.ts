import type { ShardId, TransferId } from '@surety/domain';
import { QueueFullError, REAL_CLOCK } from '@surety/runtime';
import type { Clock } from '@surety/runtime';
import { Admission } from './admission.js';

/** Some of what comes at once, and how each passes its door. */
export interface Admitted<Item, Result> {
  readonly shardOf: (item: Item) => ShardId;
  /** Outcomes in the order of items. */
  readonly store: (items: readonly Item[]) => Promise<readonly PromiseSettledResult<Result>[]>;
  readonly acceptedOf: (result: Result) => readonly TransferId[];
}

/**
 * An admission for each shard that money goes to. What goes to a shard that is away does not end, and
 * would take the place of all that could: counted by itself it holds up nobody, and its silence says
 * that it is no overload.
 */
export class Admissions {
  readonly #clock: Clock;
  readonly #byDestination = new Map<ShardId, Admission>();

  constructor(clock: Clock = REAL_CLOCK) {
    this.#clock = clock;
  }

  /** The door of what goes to this shard. */
  of(destination: ShardId): Admission {
    const known = this.#byDestination.get(destination);
    if (known) return known;
    const admission = new Admission(this.#clock);
    this.#byDestination.set(destination, admission);
    return admission;
  }

  /**
   * For whoever would not be let wait wherever it went, while nobody knows yet where that is.
   * @throws QueueFullError
   */
  turnAway(destinations: Iterable<ShardId>): void {
    for (const destination of destinations) if (!this.of(destination).isFull) return;
    throw new QueueFullError('too many wait to be let in, wherever they go');
  }

  ended(ids: readonly TransferId[]): void {
    for (const admission of this.#byDestination.values()) admission.ended(ids);
  }

  /**
   * Lets items in by where they go, has those that came in stored together, and tells what came of
   * them. Where too many wait at one door, its items alone are rejected, with QueueFullError.
   */
  async admit<Item, Result>(
    items: readonly Item[],
    { shardOf, store, acceptedOf }: Admitted<Item, Result>,
  ): Promise<readonly PromiseSettledResult<Result>[]> {
    const outcomes = new Map<Item, PromiseSettledResult<Result>>();
    const inside = await this.#enter(groupedBy(items, shardOf), (item, reason) => {
      outcomes.set(item, { status: 'rejected', reason });
    });
    try {
      const admitted = items.filter((item) => !outcomes.has(item));
      const stored = admitted.length === 0 ? [] : await store(admitted);
      admitted.forEach((item, at) => {
        outcomes.set(item, stored[at] as PromiseSettledResult<Result>);
      });
    } finally {
      for (const [admission, some] of inside) {
        const accepted = some.flatMap((item) => {
          const outcome = outcomes.get(item);
          return outcome?.status === 'fulfilled' ? acceptedOf(outcome.value) : [];
        });
        admission.left(some.length, accepted);
      }
    }
    return items.map((item) => outcomes.get(item) as PromiseSettledResult<Result>);
  }

  /** Door by door in one order: two who held one each and waited for the other's would wait for long. */
  async #enter<Item>(
    groups: readonly (readonly [ShardId, readonly Item[]])[],
    refuse: (item: Item, reason: unknown) => void,
  ): Promise<readonly (readonly [Admission, readonly Item[]])[]> {
    const inside: [Admission, readonly Item[]][] = [];
    for (const [destination, some] of groups) {
      const admission = this.of(destination);
      try {
        await admission.enter(some.length);
        inside.push([admission, some]);
      } catch (error) {
        for (const item of some) refuse(item, error);
      }
    }
    return inside;
  }
}

/** By ascending shard. */
function groupedBy<Item>(
  items: readonly Item[],
  shardOf: (item: Item) => ShardId,
): readonly (readonly [ShardId, readonly Item[]])[] {
  const groups = new Map<ShardId, Item[]>();
  for (const item of items) {
    const shard = shardOf(item);
    const group = groups.get(shard);
    if (group) group.push(item);
    else groups.set(shard, [item]);
  }
  return [...groups].sort(([left], [right]) => left - right);
}
