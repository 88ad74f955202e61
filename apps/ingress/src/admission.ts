import type { ShardId, TransferId } from '@surety/domain';
import { QueueFullError } from '@surety/runtime';
import type { Clock } from '@surety/runtime';
import type { EarlyEnds } from './early-ends.js';
import { UnderWay } from './under-way.js';

/** How long a transfer may take at full load: with more under way than that, newcomers wait outside. */
const TARGET_SECONDS = 0.4;
/** Always admitted: a burst that an idle system takes in its stride. */
const UNDER_WAY_MIN = 256;
/** Without any end for this long it is an outage and no overload: what is accepted is safe, and waits. */
const SILENCE_MS = 2_000;
/**
 * Nobody let in for this long while some wait: one goes in as a probe. Its end shows that those
 * before it, of which some end now and then and break the silence, were not held up by the load.
 */
const PROBE_AFTER_MS = 1_000;
const BUCKET_MS = 100;
const BUCKETS = 10;

/** A batch waits as what it weighs: in one queue with single requests it would fill it alone. */
export type Party = 'single' | 'batch';

/**
 * The room to wait in, as seconds of work and the least of it. Who comes beyond it is turned away. That
 * of batches takes four times as much: they come in lumps, and one stands at all its doors at once.
 */
const ROOM: Readonly<Record<Party, { readonly seconds: number; readonly least: number }>> = {
  single: { seconds: 0.25, least: 256 },
  batch: { seconds: 1, least: 1_024 },
};

/**
 * Where this share of its room is taken at every door, a party is turned away, most of it unread. The
 * line then stands before the whole system, and a longer one only makes all wait longer; the rest of
 * the room is for a door that is busier than the others. Of a batch, what finds room at one of them
 * shall not be lost.
 */
const CROWDED: Readonly<Record<Party, number>> = { single: 5 / 8, batch: 1 };

export interface AdmissionOptions {
  readonly clock: Clock;
  /** Where ends are remembered that no admission knew. */
  readonly early: EarlyEnds;
  /** The shard that a transfer comes from. */
  readonly sourceOf: (id: TransferId) => ShardId;
}

interface Waiter {
  readonly party: Party;
  readonly count: number;
  readonly admit: () => void;
}

/**
 * Keeps the door from accepting faster than the chain behind it ends transfers: a backlog only makes
 * every transfer slow. By Little's law what is under way is the rate of ends times the time each
 * takes, so under way is bounded by the rate that is seen times the time that is wanted. It counts the
 * transfers of this process alone, as told by the bell that rings their ends; a bell that is away
 * counts as silence, and silence closes nothing.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #underWay: UnderWay;
  readonly #waiters: Waiter[] = [];
  readonly #ends = new Array<number>(BUCKETS).fill(0);
  #bucket = 0;
  #lastEndAtMs: number;
  #lastLetInAtMs: number;
  /** Transfers that wait. Each party has room of its own to wait in, and all are let in as they came. */
  readonly #waiting: Record<Party, number> = { single: 0, batch: 0 };
  readonly #early: EarlyEnds;
  #entering = 0;
  #isLooking = false;

  constructor({ clock, early, sourceOf }: AdmissionOptions) {
    this.#clock = clock;
    this.#early = early;
    this.#underWay = new UnderWay(sourceOf);
    this.#lastEndAtMs = clock.nowMs();
    this.#lastLetInAtMs = this.#lastEndAtMs;
  }

  get underWay(): number {
    return this.#underWay.size + this.#entering;
  }

  /** Whether some were let in of whom it is not told yet what became of them. */
  get isEntering(): boolean {
    return this.#entering > 0;
  }

  /** Whether nobody of this party is let wait any more. */
  isFull(party: Party): boolean {
    return this.#isTaken(party, 1);
  }

  /** Whether so much of the room of this party is taken that it is turned away if all doors are so. */
  isCrowded(party: Party): boolean {
    return this.#isTaken(party, CROWDED[party]);
  }

  #isTaken(party: Party, share: number): boolean {
    const waiting = this.#waiting[party];
    const { seconds, least } = ROOM[party];
    if (waiting <= least * share) return false;
    return waiting > this.#endsPerSecond() * seconds * share;
  }

  /**
   * Resolves when so many transfers may be accepted; `left` must follow, whatever became of them.
   * @throws QueueFullError where too many of the party wait already
   */
  async enter(count: number, party: Party = 'single'): Promise<void> {
    if (this.#waiters.length === 0 && this.#hasRoom()) {
      this.#letIn(count);
      return;
    }
    if (this.isFull(party)) throw new QueueFullError(`${this.underWay} transfers are under way`);
    this.#waiting[party] += count;
    await new Promise<void>((resolve) => {
      this.#waiters.push({ party, count, admit: resolve });
      this.#lookSoon();
    });
  }

  /** For those who were let in and left again before anything was stored: their turn has been. */
  enterAtOnce(count: number): void {
    this.#letIn(count);
  }

  /** What was let in is stored under these ids, or was not stored. */
  left(count: number, accepted: readonly TransferId[]): void {
    this.#entering -= count;
    const nowMs = this.#clock.nowMs();
    let ended = 0;
    for (const id of accepted) {
      if (this.#early.take(id)) ended += 1;
      else this.#underWay.add(id, nowMs);
    }
    if (ended > 0) this.#countEnds(ended);
    this.#admit();
  }

  /** Gives back those that are not under way here. */
  ended(ids: readonly TransferId[]): readonly TransferId[] {
    const nowMs = this.#clock.nowMs();
    const others = ids.filter((id) => !this.#underWay.end(id, nowMs));
    if (others.length === ids.length) return others;
    this.#countEnds(ids.length - others.length);
    this.#admit();
    return others;
  }

  #countEnds(count: number): void {
    this.#turn();
    this.#ends[this.#bucket % BUCKETS] = (this.#ends[this.#bucket % BUCKETS] ?? 0) + count;
    this.#lastEndAtMs = this.#clock.nowMs();
  }

  #hasRoom(): boolean {
    const limit = Math.max(UNDER_WAY_MIN, this.#endsPerSecond() * TARGET_SECONDS);
    if (this.underWay < limit) return true;
    const nowMs = this.#clock.nowMs();
    this.#underWay.forgetStuck(nowMs);
    const isSilent = nowMs - this.#lastEndAtMs > SILENCE_MS;
    return isSilent || this.underWay < limit;
  }

  #admit(): void {
    while (this.#waiters.length > 0 && this.#hasRoom()) this.#admitAt(0);
  }

  #admitAt(at: number): void {
    const [{ party, count, admit }] = this.#waiters.splice(at, 1) as [Waiter];
    this.#waiting[party] -= count;
    this.#letIn(count);
    admit();
  }

  #letIn(count: number): void {
    this.#entering += count;
    this.#lastLetInAtMs = this.#clock.nowMs();
  }

  #endsPerSecond(): number {
    this.#turn();
    const sum = this.#ends.reduce((total, ends) => total + ends, 0);
    return (sum * 1_000) / (BUCKET_MS * BUCKETS);
  }

  /** Empties the buckets whose time is over. */
  #turn(): void {
    const bucket = Math.floor(this.#clock.nowMs() / BUCKET_MS);
    const passed = Math.min(bucket - this.#bucket, BUCKETS);
    for (let step = 1; step <= passed; step += 1) this.#ends[(this.#bucket + step) % BUCKETS] = 0;
    this.#bucket = bucket;
  }

  /** A single request where one waits: batches, let in so, would pile up behind a chain that is slow. */
  #probe(): void {
    const stillMs = this.#clock.nowMs() - this.#lastLetInAtMs;
    if (this.#waiters.length === 0 || stillMs < PROBE_AFTER_MS) return;
    const single = this.#waiters.findIndex(({ party }) => party === 'single');
    if (single >= 0) this.#admitAt(single);
    else if (stillMs >= (PROBE_AFTER_MS * this.underWay) / UNDER_WAY_MIN) this.#admitAt(0);
  }

  /** Ends that do not come let nobody in: silence has to be noticed by the clock. */
  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#clock.after(BUCKET_MS, () => {
      this.#isLooking = false;
      this.#admit();
      this.#probe();
      if (this.#waiters.length > 0) this.#lookSoon();
    });
  }
}
