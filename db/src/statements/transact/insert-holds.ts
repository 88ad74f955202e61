import type { HoldRow } from '@surety/saga';
import type { TransferId } from '@surety/domain';
import { count, jsonRows, listed, time, uuid, uuidHex, word } from '../../connection/literals.js';
import { HOLD_COLUMNS } from '../rows/hold-row.js';
import { ALONE_MAX, eachGuarded, guard, inLockOrder, sortedBy } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (transfer_id). Locks: the new rows, under the lock of their
 * transfers. Rows: those of the batch. A hold that exists raises 1062.
 */
export function insertHolds(rows: readonly HoldRow[]): string[] {
  if (rows.length === 0) return [];
  const sorted = sortedBy(rows, (row) => row.transferId);
  return [`INSERT INTO holds (${HOLD_COLUMNS}) VALUES ${listed(sorted, valuesOf)}`];
}

function valuesOf(row: HoldRow): string {
  return (
    `(${uuid(row.transferId)},${count(row.slot)},${word(row.account)},${row.amountMinor},` +
    `${time(row.expiresAt)})`
  );
}

/**
 * Caller: transact, for transfers that end. Index: PRIMARY (transfer_id), one lookup for each row of
 * the JSON table, or one a statement where they are few; lists of values let MySQL scan a small table,
 * hint or not (tried), which waits for rows of others. Locks: those rows, under the lock of their
 * transfers. Rows: those of the batch. Fewer affected rows mean that a held transfer had no hold: the
 * guard stops the packet.
 */
export function deleteHolds(ids: readonly TransferId[]): string[] {
  if (ids.length === 0) return [];
  const sorted = inLockOrder(ids);
  if (sorted.length <= ALONE_MAX) return eachGuarded(sorted.map(deleteHold));
  const rows = sorted.map((id) => [uuidHex(id)]);
  return [
    `DELETE h FROM JSON_TABLE(${jsonRows(rows)}, '$[*]' COLUMNS (` +
      "id CHAR(32) CHARACTER SET ascii PATH '$[0]'" +
      ')) AS n STRAIGHT_JOIN holds AS h FORCE INDEX (PRIMARY) ON h.transfer_id = UNHEX(n.id)',
    guard(rows.length),
  ];
}

function deleteHold(id: TransferId): string {
  return `DELETE h FROM holds AS h FORCE INDEX (PRIMARY) WHERE h.transfer_id = ${uuid(id)}`;
}
