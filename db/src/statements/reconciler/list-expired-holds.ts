import type { HoldRow } from '@surety/saga';
import { count, time, uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { HOLD_COLUMNS, readHoldRow } from '../rows/hold-row.js';

/** Where a page ended: the order of the index is (expires_at, transfer_id). */
export type HoldCursor = Pick<HoldRow, 'expiresAt' | 'transferId'>;

/** The condition of a page that begins after a row. */
export function holdsAfter(after: HoldCursor | undefined): string {
  if (!after) return '1 = 1';
  const expiresAt = time(after.expiresAt);
  return (
    `expires_at >= ${expiresAt} AND ` +
    `(expires_at > ${expiresAt} OR transfer_id > ${uuid(after.transferId)})`
  );
}

/**
 * Holds whose expiry lies before the database's now, those that expired first on top.
 * Caller: reconciler, CLI. Index: holds_by_expiry (expires_at), a range. Locks: none. Rows: at most
 * `limit`. What is read here decides nothing: every repair reads again under lock.
 * @throws StoreError
 */
export function listExpiredHolds(
  session: Session,
  limit: number,
  after?: HoldCursor,
): Promise<HoldRow[]> {
  const sql =
    `SELECT ${HOLD_COLUMNS} FROM holds FORCE INDEX (holds_by_expiry) ` +
    `WHERE expires_at < NOW(6) AND ${holdsAfter(after)} ` +
    `ORDER BY expires_at, transfer_id LIMIT ${count(limit)}`;
  return readRows(session, sql, readHoldRow);
}
