import { isEnded } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import type { TransferRow } from '@surety/saga';
import { count, listed, time, uuid, word, wordOrNull } from '../../connection/literals.js';
import { TRANSFER_COLUMNS } from '../rows/transfer-row.js';
import { sortedBy } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (id). Locks: the new rows, ascending by id. Rows: those of the
 * batch. An id that exists raises 1062.
 */
export function insertTransfers(rows: readonly TransferRow[]): string[] {
  if (rows.length === 0) return [];
  const sorted = sortedBy(rows, (row) => row.id);
  return [`INSERT INTO transfers (${TRANSFER_COLUMNS}) VALUES ${listed(sorted, valuesOf)}`];
}

function valuesOf(row: TransferRow): string {
  return (
    `(${uuid(row.id)},${count(row.slot)},${word(row.kind)},` +
    `${row.parentId === null ? 'NULL' : uuid(row.parentId)},${word(row.tenant)},` +
    `${word(row.source)},${word(row.destination)},${row.amountMinor},${word(row.currency)},` +
    `${word(row.capture)},${word(row.state)},${wordOrNull(row.reason)},${time(row.requestedAt)})`
  );
}

/**
 * Caller: transact, with the transfers it inserts. Index: PRIMARY (slot, since, transfer_id).
 * Locks: the new rows. Rows: those of the batch that have not ended yet and whose id lies where the
 * list is kept: none, but for an id that was made long before its transaction.
 */
export function insertOpenTransfers(
  rows: readonly TransferRow[],
  listedBelow: TransferId,
): string[] {
  const open = rows.filter((row) => row.id < listedBelow && !isEnded(row.state));
  if (open.length === 0) return [];
  return [`INSERT INTO open_transfers (slot, since, transfer_id) VALUES ${listed(open, openOf)}`];
}

function openOf(row: TransferRow): string {
  return `(${count(row.slot)},${time(row.requestedAt)},${uuid(row.id)})`;
}
