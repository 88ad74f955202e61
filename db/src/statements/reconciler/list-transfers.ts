import type { TransferId } from '@surety/domain';
import type { TransferRow } from '@surety/saga';
import { uuid } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { TRANSFER_COLUMNS, readTransferRow } from '../rows/transfer-row.js';
import { chunksOf, inLockOrder } from '../transact/shape.js';

/**
 * The transfers that exist among those asked for, by id.
 * Caller: checks. Index: PRIMARY (id). Locks: none. Rows: at most those asked for, in one round trip.
 * @throws StoreError
 */
export async function listTransfers(
  session: Session,
  ids: readonly TransferId[],
): Promise<TransferRow[]> {
  if (ids.length === 0) return [];
  const statements = chunksOf(inLockOrder(ids)).map(
    (chunk) =>
      `SELECT ${TRANSFER_COLUMNS} FROM transfers FORCE INDEX (PRIMARY) ` +
      `WHERE id IN (${chunk.map(uuid).join(', ')}) ORDER BY id`,
  );
  const results = await session.send(statements);
  return results.flatMap(({ rows }) => rows.map(readTransferRow));
}
