import type { AccountId, TransferId } from '@surety/domain';
import { readBigint, readBigintOrNull, readText, readUuid } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface BrokenRunningBalance {
  readonly account: AccountId;
  readonly entrySeq: bigint;
  readonly transferId: TransferId;
  readonly minor: bigint;
  readonly balanceAfter: bigint | null;
  /** null for the first leg of an account, and where the leg before it is missing. */
  readonly previousBalanceAfter: bigint | null;
}

/**
 * Legs whose balance_after is not that of the leg before plus their own amount.
 * Caller: checks, in a snapshot. Index: ledger_entries_by_account, each leg with the one before it.
 * Locks: none. Rows: at most OFFENDERS_MAX. Sums are of columns, as exact decimals.
 * @throws StoreError
 */
export function brokenRunningBalances(snapshot: Session): Promise<BrokenRunningBalance[]> {
  const sql =
    'SELECT l.account_id, l.entry_seq, l.transfer_id, l.amount, l.balance_after, p.balance_after ' +
    'FROM ledger_entries AS l LEFT JOIN ledger_entries AS p ' +
    'ON p.account_id = l.account_id AND p.entry_seq = l.entry_seq - 1 ' +
    'WHERE l.entry_seq IS NOT NULL AND (l.balance_after IS NULL ' +
    'OR (p.balance_after IS NULL AND l.entry_seq > 1) ' +
    'OR l.balance_after <> CAST(COALESCE(p.balance_after, 0) AS DECIMAL(30)) + l.amount) ' +
    `ORDER BY l.account_id, l.entry_seq LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    account: readText(row[0]),
    entrySeq: readBigint(row[1]),
    transferId: readUuid(row[2]),
    minor: readBigint(row[3]),
    balanceAfter: readBigintOrNull(row[4]),
    previousBalanceAfter: readBigintOrNull(row[5]),
  }));
}
