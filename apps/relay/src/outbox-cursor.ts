/**
 * How long a sequence number that was passed over may still appear. A transaction that holds one is
 * killed by the server after wait_timeout (10 s) without a statement; the rest is margin.
 */
const GAP_LIFETIME_MS = 15_000;
/** A gap is asked for again after as long as it is old, so that a late row is at most twice as late. */
const GAP_REREAD_MIN_MS = 5;
const GAP_REREAD_MAX_MS = 1_000;
/** Gaps of one read: bounds the statement, the others wait for the next one. */
const GAPS_PER_READ_MAX = 500;
/** Gaps that are remembered one by one; what goes beyond is found by sweeping instead. */
const GAPS_MAX = 5_000;
/** Against whatever was forgotten or restored from a backup: everything from the head. */
const SWEEP_EVERY_MS = 60_000;
/** While gaps of unknown extent may still fill. */
const SWEEP_SOON_MS = 1_000;

/** What to read next: rows after `afterSeq`, and exactly the rows `gaps`. */
export interface OutboxRead {
  readonly afterSeq: bigint;
  readonly gaps: readonly bigint[];
  readonly isSweep: boolean;
  readonly plannedAtMs: number;
}

export interface OutboxReadResult {
  /** Ascending sequence numbers of the rows after `afterSeq`, without a hole in what was committed. */
  readonly seqs: readonly bigint[];
  /** Whether the read stopped at its limit. */
  readonly isFull: boolean;
  /** Those of `gaps` that were there. */
  readonly foundGaps: readonly bigint[];
}

interface Gap {
  readonly firstSeenMs: number;
  nextReadMs: number;
}

/**
 * Where a relay stands in the outbox of one shard. Sequence numbers are given out before their
 * transactions commit, so a lower one can become visible after a higher one was read: the cursor
 * remembers each number it passed over and asks for exactly these again until none can come any
 * more. Rows that were read and deleted are never scanned again.
 *
 * It is reading on (only rows after the highest seen) or sweeping (everything from the head). It
 * sweeps once a minute; every second for the life of a gap after a restart or a gap too wide to
 * remember, because then nothing is known about what lies below; at once while a sweep was cut off.
 *
 * Pure: time comes in with the calls, in milliseconds of a monotonic clock.
 */
export class OutboxCursor {
  #top = 0n;
  #gaps = new Map<bigint, Gap>();
  #nextSweepMs = Number.NEGATIVE_INFINITY;
  #sweepSoonUntilMs = Number.NEGATIVE_INFINITY;

  /** Forgets everything and begins at the head: after a failure, or when somebody else relayed. */
  restart(nowMs: number): void {
    this.#top = 0n;
    this.#gaps = new Map();
    this.#nextSweepMs = nowMs;
    this.#sweepSoonUntilMs = nowMs + GAP_LIFETIME_MS;
  }

  plan(nowMs: number): OutboxRead {
    const isSweep = nowMs >= this.#nextSweepMs;
    const gaps: bigint[] = [];
    for (const [seq, gap] of this.#gaps) {
      if (gaps.length >= GAPS_PER_READ_MAX) break;
      if (gap.nextReadMs <= nowMs) gaps.push(seq);
    }
    return { afterSeq: isSweep ? 0n : this.#top, gaps, isSweep, plannedAtMs: nowMs };
  }

  /** @param nowMs after the rows have come */
  record(read: OutboxRead, result: OutboxReadResult, nowMs: number): void {
    this.#recordGaps(read, result, nowMs);
    for (const seq of result.seqs) this.#pass(seq, nowMs);
    if (read.isSweep) this.#scheduleSweep(result.isFull, nowMs);
  }

  /** Milliseconds until there is something to read again without a ring of the bell; 0 for now. */
  dueInMs(nowMs: number): number {
    let dueMs = this.#nextSweepMs;
    for (const gap of this.#gaps.values()) dueMs = Math.min(dueMs, gap.nextReadMs);
    return Math.max(0, dueMs - nowMs);
  }

  get top(): bigint {
    return this.#top;
  }

  get gapCount(): number {
    return this.#gaps.size;
  }

  #recordGaps(read: OutboxRead, { foundGaps }: OutboxReadResult, nowMs: number): void {
    for (const seq of foundGaps) this.#gaps.delete(seq);
    for (const seq of read.gaps) {
      const gap = this.#gaps.get(seq);
      if (!gap) continue;
      // Judged by when the question was asked: an answer may be older than its arrival.
      if (read.plannedAtMs - gap.firstSeenMs > GAP_LIFETIME_MS) {
        this.#gaps.delete(seq);
        continue;
      }
      const ageMs = nowMs - gap.firstSeenMs;
      const waitMs = Math.min(GAP_REREAD_MAX_MS, Math.max(GAP_REREAD_MIN_MS, ageMs));
      gap.nextReadMs = nowMs + waitMs;
    }
  }

  #pass(seq: bigint, nowMs: number): void {
    if (seq <= this.#top) {
      this.#gaps.delete(seq);
      return;
    }
    const missing = seq - this.#top - 1n;
    const room = BigInt(GAPS_MAX - this.#gaps.size);
    if (this.#top === 0n || missing > room) this.#sweepSoon(nowMs);
    else this.#remember(seq, nowMs);
    this.#top = seq;
  }

  #remember(before: bigint, nowMs: number): void {
    for (let seq = this.#top + 1n; seq < before; seq += 1n) {
      this.#gaps.set(seq, { firstSeenMs: nowMs, nextReadMs: nowMs });
    }
  }

  #sweepSoon(nowMs: number): void {
    this.#sweepSoonUntilMs = nowMs + GAP_LIFETIME_MS;
    this.#nextSweepMs = Math.min(this.#nextSweepMs, nowMs + SWEEP_SOON_MS);
  }

  #scheduleSweep(isFull: boolean, nowMs: number): void {
    if (isFull) {
      this.#nextSweepMs = nowMs;
      return;
    }
    const isSoon = nowMs < this.#sweepSoonUntilMs;
    this.#nextSweepMs = nowMs + (isSoon ? SWEEP_SOON_MS : SWEEP_EVERY_MS);
  }
}
