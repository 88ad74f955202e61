import type { TransferId } from '@surety/domain';
import type { TransferRow } from '@surety/saga';
import { uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { TRANSFER_COLUMNS, readTransferRow } from '../rows/transfer-row.js';

/**
 * Caller: ingress, CLI; on the source's shard. Index: PRIMARY (id). Locks: none. Rows: at most one.
 * @throws StoreError
 */
export async function findTransfer(
  session: Session,
  id: TransferId,
): Promise<TransferRow | undefined> {
  const sql = `SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE id = ${uuid(id)}`;
  return (await readRows(session, sql, readTransferRow))[0];
}
