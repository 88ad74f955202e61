import type { HoldRow } from '@surety/saga';
import type { TransferId } from '@surety/domain';
import { count, time, uuid, word } from '../../connection/literals.js';
import { HOLD_COLUMNS } from '../rows/hold-row.js';
import { chunksOf, guard, inLockOrder, sortedBy } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (transfer_id). Locks: the new rows, under the lock of their
 * transfers. Rows: those of the batch. A hold that exists raises 1062.
 */
export function insertHolds(rows: readonly HoldRow[]): string[] {
  if (rows.length === 0) return [];
  const values = sortedBy(rows, (row) => row.transferId).map(
    (row) =>
      `(${uuid(row.transferId)},${count(row.slot)},${word(row.account)},${row.amountMinor},` +
      `${time(row.expiresAt)})`,
  );
  return [`INSERT INTO holds (${HOLD_COLUMNS}) VALUES ${values.join(',')}`];
}

/**
 * Caller: transact, for transfers that end. Index: PRIMARY (transfer_id). Locks: those rows, under
 * the lock of their transfers. Rows: at most VALUES_MAX a statement.
 * Fewer affected rows mean that a held transfer had no hold: the guard stops the packet.
 */
export function deleteHolds(ids: readonly TransferId[]): string[] {
  return chunksOf(inLockOrder(ids)).flatMap((chunk) => [
    `DELETE FROM holds WHERE transfer_id IN (${chunk.map(uuid).join(',')})`,
    guard(chunk.length),
  ]);
}
