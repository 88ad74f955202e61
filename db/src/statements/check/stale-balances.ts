import type { AccountId } from '@surety/domain';
import { readBigint, readBigintOrNull, readText } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface StaleBalance {
  readonly id: AccountId;
  readonly balance: bigint;
  readonly held: bigint;
  readonly version: bigint;
  /** null where there is no projection. */
  readonly projectedBalance: bigint | null;
  readonly projectedHeld: bigint | null;
  readonly projectedVersion: bigint | null;
}

/**
 * Accounts whose projection says something else than their row: behind while work is under way,
 * wrong where the versions are the same or the projection's is newer. An account that never changed
 * needs no projection.
 * Caller: checks, in a snapshot. Index: PRIMARY of both. Locks: none. Rows: at most OFFENDERS_MAX,
 * those that are wrong rather than behind on top.
 * @throws StoreError
 */
export function staleBalances(snapshot: Session): Promise<StaleBalance[]> {
  const sql =
    'SELECT a.id, a.balance, a.held, a.version, b.balance, b.held, b.version FROM accounts AS a ' +
    'LEFT JOIN balances AS b ON b.account_id = a.id ' +
    'WHERE (b.version IS NULL AND a.version > 0) OR b.version <> a.version ' +
    'OR b.balance <> a.balance OR b.held <> a.held OR b.currency <> a.currency ' +
    'ORDER BY COALESCE(b.version, -1) >= a.version DESC, a.id ' +
    `LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    id: readText(row[0]),
    balance: readBigint(row[1]),
    held: readBigint(row[2]),
    version: readBigint(row[3]),
    projectedBalance: readBigintOrNull(row[4]),
    projectedHeld: readBigintOrNull(row[5]),
    projectedVersion: readBigintOrNull(row[6]),
  }));
}
