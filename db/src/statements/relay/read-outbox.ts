import type { Timestamp } from '@surety/contracts';
import { readTime } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { count } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { NUMBERED_COLUMNS, readNumberedRow } from './advance-outbox.js';
import type { NumberedOutboxRow } from './advance-outbox.js';

export interface StoredOutboxRow extends NumberedOutboxRow {
  readonly createdAt: Timestamp;
}

const OUTBOX_COLUMNS = `${NUMBERED_COLUMNS}, created_at`;

function readOutboxRow(row: Row): StoredOutboxRow {
  return { ...readNumberedRow(row), createdAt: readTime(row[4]) };
}

/**
 * Committed rows after a sequence number, ascending. A number that is missing may still appear: its
 * transaction may not have committed yet.
 * Caller: reconciler's check of the outbox. Index: PRIMARY (seq), a range. Locks: none. Rows: at
 * most `limit`.
 * @throws StoreError
 */
export function readOutbox(
  session: Session,
  afterSeq: bigint,
  limit: number,
): Promise<StoredOutboxRow[]> {
  const sql =
    `SELECT ${OUTBOX_COLUMNS} FROM outbox WHERE seq > ${afterSeq} ` +
    `ORDER BY seq LIMIT ${count(limit)}`;
  return readRows(session, sql, readOutboxRow);
}
