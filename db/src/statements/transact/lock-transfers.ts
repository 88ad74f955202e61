import type { TransferId } from '@surety/domain';
import type { TransferRow } from '@surety/saga';
import { uuid } from '../../connection/literals.js';
import { TRANSFER_COLUMNS, readTransferRow } from '../rows/transfer-row.js';
import { chunksOf, inLockOrder } from './shape.js';
import type { LockRead } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (id). Locks: the rows that exist, exclusively, ascending by id;
 * after idempotency_keys, before decisions. Rows: at most VALUES_MAX a statement.
 */
export function lockTransfers(ids: readonly TransferId[]): LockRead<TransferRow> {
  const statements = chunksOf(inLockOrder(ids)).map(
    (chunk) =>
      `SELECT ${TRANSFER_COLUMNS} FROM transfers FORCE INDEX (PRIMARY) ` +
      `WHERE id IN (${chunk.map(uuid).join(', ')}) ORDER BY id FOR UPDATE`,
  );
  return { statements, read: readTransferRow };
}
