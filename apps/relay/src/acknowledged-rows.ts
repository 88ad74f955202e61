import type { Outbox } from './outbox-port.js';

/** Values of one statement. */
const DELETE_ROWS_MAX = 500;

/**
 * Deletes rows that Kafka has acknowledged, beside the next read and publish: one statement at a
 * time, which takes everything that has gathered meanwhile. A failed deletion keeps its rows; it is
 * told to whoever settles next, and tried again then.
 */
export class AcknowledgedRows {
  readonly #outbox: Pick<Outbox, 'delete'>;
  #seqs: bigint[] = [];
  #deleting: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(outbox: Pick<Outbox, 'delete'>) {
    this.#outbox = outbox;
  }

  /** Rows that wait for their deletion, without those of the statement under way. */
  get waiting(): number {
    return this.#seqs.length;
  }

  add(seqs: readonly bigint[]): void {
    for (const seq of seqs) this.#seqs.push(seq);
    this.#begin();
  }

  /** @throws what the last deletion failed with, once. */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
  }

  /**
   * Resolves when everything that was acknowledged is deleted.
   * @throws what a deletion failed with
   */
  async settle(): Promise<void> {
    this.#failure = undefined;
    this.#begin();
    await this.#deleting;
    this.throwFailure();
  }

  #begin(): void {
    if (this.#deleting || this.#seqs.length === 0) return;
    this.#deleting = this.#deleteAll().finally(() => {
      this.#deleting = undefined;
    });
  }

  async #deleteAll(): Promise<void> {
    while (this.#seqs.length > 0) {
      const seqs = this.#seqs.splice(0, DELETE_ROWS_MAX);
      try {
        await this.#outbox.delete(seqs);
      } catch (error) {
        this.#seqs.push(...seqs);
        this.#failure = { error };
        return;
      }
    }
  }
}
