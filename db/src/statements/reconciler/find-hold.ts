import type { TransferId } from '@surety/domain';
import type { HoldRow } from '@surety/saga';
import { uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { HOLD_COLUMNS, readHoldRow } from '../rows/hold-row.js';

/**
 * Caller: CLI. Index: PRIMARY (transfer_id). Locks: none. Rows: at most one.
 * @throws StoreError
 */
export async function findHold(session: Session, id: TransferId): Promise<HoldRow | undefined> {
  const sql = `SELECT ${HOLD_COLUMNS} FROM holds WHERE transfer_id = ${uuid(id)}`;
  return (await readRows(session, sql, readHoldRow))[0];
}
