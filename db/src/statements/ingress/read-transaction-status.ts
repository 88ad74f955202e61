import type { TransferId } from '@surety/domain';
import { uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { STATUS_COLUMNS, readStatusRow } from '../rows/projection-rows.js';
import type { StatusRow } from '../rows/projection-rows.js';

/**
 * The projected end: it may be behind the transfer's row, never ahead of it.
 * Caller: checks. Index: PRIMARY (transfer_id). Locks: none. Rows: at most one.
 * @throws StoreError
 */
export async function readTransactionStatus(
  session: Session,
  id: TransferId,
): Promise<StatusRow | undefined> {
  const sql = `SELECT ${STATUS_COLUMNS} FROM transaction_status WHERE transfer_id = ${uuid(id)}`;
  return (await readRows(session, sql, readStatusRow))[0];
}
