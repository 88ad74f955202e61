import type { AccountId } from '@surety/domain';
import { readBigint, readText } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface LegsWithoutAccount {
  readonly account: AccountId;
  readonly legs: bigint;
  readonly sumMinor: bigint;
}

/**
 * Accounts that have legs and no row, and are no system accounts.
 * Caller: checks, in a snapshot. Index: ledger_entries_by_account, then PRIMARY of accounts. Locks:
 * none. Rows: at most OFFENDERS_MAX.
 * @throws StoreError
 */
export function legsWithoutAccount(snapshot: Session): Promise<LegsWithoutAccount[]> {
  const sql =
    'SELECT l.account_id, COUNT(*), SUM(l.amount) FROM ledger_entries AS l ' +
    "LEFT JOIN accounts AS a ON a.id = l.account_id WHERE a.id IS NULL AND l.account_id < '~' " +
    `GROUP BY l.account_id ORDER BY l.account_id LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    account: readText(row[0]),
    legs: readBigint(row[1]),
    sumMinor: readBigint(row[2]),
  }));
}
