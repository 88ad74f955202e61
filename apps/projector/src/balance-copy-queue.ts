import type { BalanceRow } from '@surety/db';
import type { AccountId } from '@surety/domain';
import { REAL_CLOCK, sleep } from '@surety/runtime';
import type { Clock } from '@surety/runtime';

/** Copies of one write: those of ends wait behind them on the same connection. */
const COPIES_PER_WRITE = 1_000;
/**
 * Accounts whose copies wait: some 8 MB. Only a Redis that is away or hangs lets so many gather. Of
 * those beyond it, the ones that have not changed for longest keep the copy that they have.
 */
const ACCOUNTS_MAX = 20_000;
/** After a failed write, so that a Redis that is away is not asked without end. */
const REST_AFTER_FAILURE_MS = 1_000;

export interface BalanceCopyQueueOptions {
  /** False where nothing may have been written. Must not reject. */
  readonly write: (rows: readonly BalanceRow[]) => Promise<boolean>;
  readonly clock?: Clock;
}

/**
 * The balances whose copies are still to be written, the newest of each account. Who adds to it waits
 * for nothing: copies follow the tables, and where they cannot be written they wait, within a bound, and
 * are tried again. Versions make that safe: a copy that is newer by then stays.
 */
export class BalanceCopyQueue {
  readonly #write: BalanceCopyQueueOptions['write'];
  readonly #clock: Clock;
  /** Those that changed last are at its end. */
  readonly #waiting = new Map<AccountId, BalanceRow>();
  readonly #stopping = new AbortController();
  #writing: Promise<void> | undefined;

  constructor({ write, clock = REAL_CLOCK }: BalanceCopyQueueOptions) {
    this.#write = write;
    this.#clock = clock;
  }

  /** Returns how many accounts were left out: they keep older copies until they change again. */
  add(rows: readonly BalanceRow[]): number {
    for (const row of rows) this.#put(row);
    const leftOut = this.#leaveOut();
    if (this.#waiting.size > 0) this.#writing ??= this.#writeAll();
    return leftOut;
  }

  /** Tries once more to write what waits, then gives it up. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#writing;
  }

  #put(row: BalanceRow): void {
    const known = this.#waiting.get(row.accountId);
    if (known && known.version >= row.version) return;
    this.#waiting.delete(row.accountId);
    this.#waiting.set(row.accountId, row);
  }

  #leaveOut(): number {
    const count = Math.max(0, this.#waiting.size - ACCOUNTS_MAX);
    for (const { accountId } of this.#first(count)) this.#waiting.delete(accountId);
    return count;
  }

  async #writeAll(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#waiting.size > 0) {
      const isLastTry = signal.aborted;
      if (await this.#writeFirst()) continue;
      if (isLastTry) break;
      await sleep(REST_AFTER_FAILURE_MS, signal, this.#clock);
    }
    this.#writing = undefined;
  }

  /** They wait until they are written, unless newer ones of their accounts came meanwhile. */
  async #writeFirst(): Promise<boolean> {
    const rows = this.#first(COPIES_PER_WRITE);
    if (!(await this.#write(rows))) return false;
    for (const row of rows) {
      if (this.#waiting.get(row.accountId) === row) this.#waiting.delete(row.accountId);
    }
    return true;
  }

  /** Those that have not changed for longest. */
  #first(count: number): readonly BalanceRow[] {
    const rows: BalanceRow[] = [];
    for (const row of this.#waiting.values()) {
      if (rows.length >= count) break;
      rows.push(row);
    }
    return rows;
  }
}
