import { count, word } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { readBigint, readText, readTime, readUuid } from '../../connection/cells.js';
import type { AccountId, TransferId } from '@surety/domain';

/** What moved on an account, as a bank's file tells it. */
export interface AccountLeg {
  readonly entrySeq: bigint;
  readonly transferId: TransferId;
  /** Signed minor units: positive is credited to the account. */
  readonly minor: bigint;
  readonly currency: string;
  readonly postedAt: string;
}

/**
 * Ledger entries of an account above a number, oldest first. Numbers are dense, so that a page
 * cannot skip one.
 * Caller: CLI (external match). Index: ledger_entries_by_account (account_id, entry_seq). Locks: none.
 * Rows: at most `limit`.
 * @throws StoreError
 */
export function listAccountLegs(
  session: Session,
  account: AccountId,
  above: bigint,
  limit: number,
): Promise<AccountLeg[]> {
  const sql =
    'SELECT entry_seq, transfer_id, amount, currency, posted_at FROM ledger_entries ' +
    `FORCE INDEX (ledger_entries_by_account) WHERE account_id = ${word(account)} ` +
    `AND entry_seq > ${above} ORDER BY account_id, entry_seq LIMIT ${count(limit)}`;
  return readRows(session, sql, (row) => ({
    entrySeq: readBigint(row[0]),
    transferId: readUuid(row[1]),
    minor: readBigint(row[2]),
    currency: readText(row[3]),
    postedAt: readTime(row[4]),
  }));
}
