/** A deletion is a commit, whatever it deletes: this long they gather for one. */
const GATHERED_MS = 100;
/** Rows of one deletion: bounds its statement, and what a crash publishes again. */
const ROWS_MAX = 200;

/**
 * Rows of the outbox that Kafka has and the table still has. They gather for a moment, because a
 * deletion flushes the disk as any other commit does; a crash publishes them again.
 *
 * Pure: time comes in with the calls, in milliseconds of a monotonic clock.
 */
export class AcknowledgedRows {
  #seqs: readonly bigint[] = [];
  #sinceMs = 0;

  get seqs(): readonly bigint[] {
    return this.#seqs;
  }

  add(seqs: readonly bigint[], nowMs: number): void {
    if (this.#seqs.length === 0) this.#sinceMs = nowMs;
    this.#seqs = [...this.#seqs, ...seqs];
  }

  /** Milliseconds until they should be deleted; 0 for now, Infinity where there is nothing. */
  dueInMs(nowMs: number): number {
    if (this.#seqs.length === 0) return Number.POSITIVE_INFINITY;
    if (this.#seqs.length >= ROWS_MAX) return 0;
    return Math.max(0, this.#sinceMs + GATHERED_MS - nowMs);
  }

  /** These are deleted; others may have come since. */
  deleted(seqs: readonly bigint[]): void {
    const gone = new Set(seqs);
    this.#seqs = this.#seqs.filter((seq) => !gone.has(seq));
  }
}
