import type { TransferId } from '@surety/domain';
import { QueueFullError, REAL_CLOCK } from '@surety/runtime';
import type { Clock } from '@surety/runtime';

/** How long a transfer may take at full load: with more under way than that, newcomers wait outside. */
const TARGET_SECONDS = 0.5;
/** Always admitted: a burst that an idle system takes in its stride. */
const UNDER_WAY_MIN = 256;
/** Waiters beyond a quarter of a second of work are turned away. */
const WAIT_SECONDS = 0.25;
const WAITERS_MIN = 256;
/** Not seen to end in this time: held up by something else than the load, and no longer counted. */
const STUCK_AFTER_MS = 10_000;
/** Without any end for this long it is an outage and no overload: what is accepted is safe, and waits. */
const SILENCE_MS = 2_000;
const BUCKET_MS = 100;
const BUCKETS = 10;

interface Waiter {
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
  /** When each was accepted, oldest first. */
  readonly #underWay = new Map<TransferId, number>();
  readonly #waiters: Waiter[] = [];
  readonly #ends = new Array<number>(BUCKETS).fill(0);
  #bucket = 0;
  #lastEndAtMs: number;
  #waiting = 0;
  #entering = 0;
  #isLooking = false;

  constructor(clock: Clock = REAL_CLOCK) {
    this.#clock = clock;
    this.#lastEndAtMs = clock.nowMs();
  }

  get underWay(): number {
    return this.#underWay.size + this.#entering;
  }

  /**
   * For whoever would not even be let wait: asked before a body is looked into, which costs several
   * times as much as the answer that the client should come again.
   * @throws QueueFullError
   */
  turnAway(): void {
    if (this.isFull) throw new QueueFullError(`${this.underWay} transfers are under way`);
  }

  /** Whether nobody is let wait any more. */
  get isFull(): boolean {
    if (this.#waiters.length === 0) return false;
    return this.#waiting > Math.max(WAITERS_MIN, this.#endsPerSecond() * WAIT_SECONDS);
  }

  /**
   * Resolves when so many transfers may be accepted; `left` must follow, whatever became of them.
   * @throws QueueFullError where too many wait already
   */
  async enter(count: number): Promise<void> {
    if (this.#waiters.length === 0 && this.#hasRoom()) {
      this.#entering += count;
      return;
    }
    this.turnAway();
    this.#waiting += count;
    await new Promise<void>((resolve) => {
      this.#waiters.push({ count, admit: resolve });
      this.#lookSoon();
    });
  }

  /** What was let in is stored under these ids, or was not stored. */
  left(count: number, accepted: readonly TransferId[]): void {
    this.#entering -= count;
    const nowMs = this.#clock.nowMs();
    for (const id of accepted) this.#underWay.set(id, nowMs);
    this.#admit();
  }

  ended(ids: readonly TransferId[]): void {
    this.#turn();
    let own = 0;
    for (const id of ids) if (this.#underWay.delete(id)) own += 1;
    if (own === 0) return;
    this.#ends[this.#bucket % BUCKETS] = (this.#ends[this.#bucket % BUCKETS] ?? 0) + own;
    this.#lastEndAtMs = this.#clock.nowMs();
    this.#admit();
  }

  #hasRoom(): boolean {
    const limit = Math.max(UNDER_WAY_MIN, this.#endsPerSecond() * TARGET_SECONDS);
    if (this.underWay < limit) return true;
    this.#forgetStuck();
    const isSilent = this.#clock.nowMs() - this.#lastEndAtMs > SILENCE_MS;
    return isSilent || this.underWay < limit;
  }

  #admit(): void {
    while (this.#waiters.length > 0 && this.#hasRoom()) {
      const { count, admit } = this.#waiters.shift() as Waiter;
      this.#waiting -= count;
      this.#entering += count;
      admit();
    }
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

  #forgetStuck(): void {
    const before = this.#clock.nowMs() - STUCK_AFTER_MS;
    for (const [id, acceptedAtMs] of this.#underWay) {
      if (acceptedAtMs > before) return;
      this.#underWay.delete(id);
    }
  }

  /** Ends that do not come let nobody in: silence has to be noticed by the clock. */
  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#clock.after(BUCKET_MS, () => {
      this.#isLooking = false;
      this.#admit();
      if (this.#waiters.length > 0) this.#lookSoon();
    });
  }
}
