import type { AccountId } from '@surety/domain';
import { readBigint, readText } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface OverdrawnAccount {
  readonly id: AccountId;
  readonly balance: bigint;
  readonly held: bigint;
  readonly overdraftLimit: bigint;
}

/**
 * Accounts that have less than nothing available (promise 3), or hold a negative sum.
 * Caller: checks, in a snapshot. Index: a scan of PRIMARY. Locks: none. Rows: at most OFFENDERS_MAX.
 * The sum is of columns, as an exact decimal.
 * @throws StoreError
 */
export function overdrawnAccounts(snapshot: Session): Promise<OverdrawnAccount[]> {
  const sql =
    'SELECT id, balance, held, overdraft_limit FROM accounts ' +
    'WHERE CAST(balance AS DECIMAL(30)) - held + overdraft_limit < 0 OR held < 0 ' +
    `ORDER BY id LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    id: readText(row[0]),
    balance: readBigint(row[1]),
    held: readBigint(row[2]),
    overdraftLimit: readBigint(row[3]),
  }));
}
