import type { HoldRow } from '@surety/saga';
import { count } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { HOLD_COLUMNS, readHoldRow } from '../rows/hold-row.js';
import { holdsAfter } from './list-expired-holds.js';
import type { HoldCursor } from './list-expired-holds.js';

/**
 * Open holds, those that expire first on top.
 * Caller: CLI. Index: holds_by_expiry (expires_at). Locks: none. Rows: at most `limit`.
 * @throws StoreError
 */
export function listHolds(session: Session, limit: number, after?: HoldCursor): Promise<HoldRow[]> {
  const sql =
    `SELECT ${HOLD_COLUMNS} FROM holds FORCE INDEX (holds_by_expiry) WHERE ${holdsAfter(after)} ` +
    `ORDER BY expires_at, transfer_id LIMIT ${count(limit)}`;
  return readRows(session, sql, readHoldRow);
}
