import type { Timestamp } from '@surety/contracts';
import type { AccountId, Step, TransferId } from '@surety/domain';
import { readBigint, readCount, readText, readTime, readUuid } from '../../connection/cells.js';
import { count, word } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

export interface LedgerEntry {
  readonly entrySeq: bigint;
  readonly transferId: TransferId;
  readonly step: Step;
  /** Signed minor units: positive is credited to the account. */
  readonly minor: bigint;
  readonly balanceAfter: bigint;
  readonly currency: string;
  readonly postedAt: Timestamp;
}

/**
 * Ledger entries of an account, newest first: those below `before`, or from the newest on. Numbers
 * are dense, so that a page cannot skip one.
 * Caller: ingress, CLI. Index: ledger_entries_by_account (account_id, entry_seq), read backwards.
 * Locks: none. Rows: at most `limit`.
 * @throws StoreError
 */
export function listEntries(
  session: Session,
  account: AccountId,
  before: bigint | undefined,
  limit: number,
): Promise<LedgerEntry[]> {
  const below = before === undefined ? 'entry_seq IS NOT NULL' : `entry_seq < ${before}`;
  const sql =
    'SELECT entry_seq, transfer_id, step, amount, balance_after, currency, posted_at ' +
    `FROM ledger_entries WHERE account_id = ${word(account)} AND ${below} ` +
    `ORDER BY account_id DESC, entry_seq DESC LIMIT ${count(limit)}`;
  return readRows(session, sql, (row) => ({
    entrySeq: readBigint(row[0]),
    transferId: readUuid(row[1]),
    step: readCount(row[2]) as Step,
    minor: readBigint(row[3]),
    balanceAfter: readBigint(row[4]),
    currency: readText(row[5]),
    postedAt: readTime(row[6]),
  }));
}
