import type { Timestamp } from '@surety/contracts';
import { readBigint, readFlag, readText, readTime } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

export interface StoredLease {
  readonly name: string;
  readonly holder: string;
  readonly token: bigint;
  readonly expiresAt: Timestamp;
  /** Whether somebody holds it now, by the database's clock. */
  readonly isHeld: boolean;
}

/**
 * Caller: CLI. Index: PRIMARY (name), all of it: a lease is one row for each kind of work on this
 * shard. Locks: none. Rows: a handful.
 * @throws StoreError
 */
export function listLeases(session: Session): Promise<StoredLease[]> {
  const sql =
    'SELECT name, holder, token, expires_at, expires_at > NOW(6) FROM leases ORDER BY name';
  return readRows(session, sql, (row) => ({
    name: readText(row[0]),
    holder: readText(row[1]),
    token: readBigint(row[2]),
    expiresAt: readTime(row[3]),
    isHeld: readFlag(row[4]),
  }));
}
