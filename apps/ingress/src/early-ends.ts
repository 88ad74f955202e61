import type { TransferId } from '@surety/domain';

/** Ends of one generation. Two are kept: at 4,000 ends a second, half a second at least. */
const GENERATION_MAX = 2_000;

/**
 * Ends that were rung before this process knew that it had accepted the transfer: the bell may be
 * heard before the database's answer, and a member of a batch ends while others of it are still being
 * stored. Not remembered, each would count as under way until it passes for stuck. Ends of other
 * processes are among them, which nobody asks for; what is oldest is forgotten.
 */
export class EarlyEnds {
  #young = new Set<TransferId>();
  #old = new Set<TransferId>();

  remember(ids: readonly TransferId[]): void {
    for (const id of ids) {
      if (this.#young.size >= GENERATION_MAX) {
        this.#old = this.#young;
        this.#young = new Set();
      }
      this.#young.add(id);
    }
  }

  /** Whether this end is remembered; it is not any more. */
  take(id: TransferId): boolean {
    return this.#young.delete(id) || this.#old.delete(id);
  }
}
