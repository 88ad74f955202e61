import type { ShardId, TransferId } from '@surety/domain';
import { REAL_CLOCK } from '@surety/runtime';
import type { Clock } from '@surety/runtime';
import { Admission } from './admission.js';
import type { AdmissionOptions, Party } from './admission.js';
import { EarlyEnds } from './early-ends.js';

/** As if each of its transfers took so much longer; less than what all may take. */
const HELD_MS = 250;

/** Outcomes in the order of items. */
export type Tell<Item, Result> = (
  items: readonly Item[],
  outcomes: readonly PromiseSettledResult<Result>[],
) => void;

/** Some of what comes at once, and how each passes its door. */
export interface Admitted<Item, Result> {
  readonly shardOf: (item: Item) => ShardId;
  /** Tells what became of each, some at a time, as soon as it is known. */
  readonly store: (items: readonly Item[], tell: Tell<Item, Result>) => Promise<void>;
  readonly acceptedOf: (result: Result) => readonly TransferId[];
}

/**
 * An admission for each shard that money goes to. What goes to a shard that is away does not end, and
 * would take the place of all that could: counted by itself it holds up nobody, and its silence says
 * that it is no overload.
 */
export class Admissions {
  readonly #means: AdmissionOptions;
  readonly #early = new EarlyEnds();
  readonly #byDestination = new Map<ShardId, Admission>();

  constructor(sourceOf: AdmissionOptions['sourceOf'], clock: Clock = REAL_CLOCK) {
    this.#means = { clock, early: this.#early, sourceOf };
  }

  /** The door of what goes to this shard. */
  of(destination: ShardId): Admission {
    const known = this.#byDestination.get(destination);
    if (known) return known;
    const admission = new Admission(this.#means);
    this.#byDestination.set(destination, admission);
    return admission;
  }

  /** Whether all of these doors are crowded: this party is turned away then, wherever it goes. */
  areCrowded(destinations: Iterable<ShardId>, party: Party): boolean {
    for (const destination of destinations) {
      if (!this.of(destination).isCrowded(party)) return false;
    }
    return true;
  }

  ended(ids: readonly TransferId[]): void {
    let unknown = ids;
    let isEntering = false;
    for (const admission of this.#byDestination.values()) {
      if (unknown.length > 0) unknown = admission.ended(unknown);
      isEntering ||= admission.isEntering;
    }
    if (isEntering && unknown.length > 0) this.#early.remember(unknown);
  }

  /**
   * Lets the items of a batch in by where they go, has those that came in stored together, and tells
   * what came of them. Where too many wait at one door, its items alone are rejected, with
   * QueueFullError. Where storing fails altogether, so does this.
   */
  async admit<Item, Result>(
    items: readonly Item[],
    { shardOf, store, acceptedOf }: Admitted<Item, Result>,
  ): Promise<readonly PromiseSettledResult<Result>[]> {
    const outcomes = new Map<Item, PromiseSettledResult<Result>>();
    const inside = await this.#enter(groupedBy(items, shardOf), (item, reason) => {
      outcomes.set(item, { status: 'rejected', reason });
    });
    const admitted = items.filter((item) => inside.has(item));
    try {
      const tell: Tell<Item, Result> = (some, theirs) => {
        some.forEach((item, at) => {
          outcomes.set(item, theirs[at] as PromiseSettledResult<Result>);
        });
        leave(inside, some, (item) => {
          const outcome = outcomes.get(item);
          return outcome?.status === 'fulfilled' ? acceptedOf(outcome.value) : [];
        });
      };
      if (admitted.length > 0) await store(admitted, tell);
    } finally {
      leave(inside, [...inside.keys()], () => []);
    }
    return items.map((item) => outcomes.get(item) as PromiseSettledResult<Result>);
  }

  /**
   * All doors at once: who waited at one after the other would wait for the sum of them. Two batches
   * stand in the same order wherever both wait, so that none is inside where an earlier one waits and
   * waits for it elsewhere.
   */
  async #enter<Item>(
    groups: readonly (readonly [ShardId, readonly Item[]])[],
    refuse: (item: Item, reason: unknown) => void,
  ): Promise<Map<Item, Admission>> {
    const inside = new Map<Item, Admission>();
    const places: Place[] = [];
    await Promise.all(
      groups.map(async ([destination, some]) => {
        const door = this.of(destination);
        try {
          await door.enter(some.length, 'batch');
          for (const item of some) inside.set(item, door);
          places.push(new Place(door, some.length, this.#means.clock));
        } catch (error) {
          for (const item of some) refuse(item, error);
        }
      }),
    );
    for (const place of places) place.take();
    return inside;
  }
}

/**
 * A batch's place behind one door while it waits at others. It is held for a moment, which is all that
 * doors of a like load are apart. One that is slow would else take the room of those that are not, for
 * as long as it is: then those who come later go on, and the batch, whose turn it was, follows when its
 * last door lets it in.
 */
class Place {
  readonly #door: Admission;
  readonly #count: number;
  readonly #keep: () => void;
  #isHeld = true;

  constructor(door: Admission, count: number, clock: Clock) {
    this.#door = door;
    this.#count = count;
    this.#keep = clock.after(HELD_MS, () => {
      this.#isHeld = false;
      door.left(count, []);
    });
  }

  take(): void {
    this.#keep();
    if (!this.#isHeld) this.#door.enterAtOnce(this.#count);
  }
}

/** Those of some that are still inside leave, each by its own door. */
function leave<Item>(
  inside: Map<Item, Admission>,
  some: readonly Item[],
  acceptedOf: (item: Item) => readonly TransferId[],
): void {
  const byDoor = new Map<Admission, { count: number; readonly accepted: TransferId[] }>();
  for (const item of some) {
    const door = inside.get(item);
    if (!door || !inside.delete(item)) continue;
    const leaving = byDoor.get(door) ?? { count: 0, accepted: [] };
    leaving.count += 1;
    leaving.accepted.push(...acceptedOf(item));
    byDoor.set(door, leaving);
  }
  for (const [door, { count, accepted }] of byDoor) door.left(count, accepted);
}

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
  return [...groups];
}
