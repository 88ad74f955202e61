import { isEnded } from '@surety/domain';
import type { TransferRow } from '@surety/saga';
import { count, time, uuid, word, wordOrNull } from '../../connection/literals.js';
import { TRANSFER_COLUMNS } from '../rows/transfer-row.js';
import { sortedBy } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (id). Locks: the new rows, ascending by id. Rows: those of the
 * batch. An id that exists raises 1062.
 */
export function insertTransfers(rows: readonly TransferRow[]): string[] {
  if (rows.length === 0) return [];
  const values = sortedBy(rows, (row) => row.id).map(
    (row) =>
      `(${uuid(row.id)},${count(row.slot)},${word(row.kind)},` +
      `${row.parentId === null ? 'NULL' : uuid(row.parentId)},${word(row.tenant)},` +
      `${word(row.source)},${word(row.destination)},${row.amountMinor},${word(row.currency)},` +
      `${word(row.capture)},${word(row.state)},${wordOrNull(row.reason)},${time(row.requestedAt)})`,
  );
  return [`INSERT INTO transfers (${TRANSFER_COLUMNS}) VALUES ${values.join(',')}`];
}

/**
 * Caller: transact, with the transfers it inserts. Index: PRIMARY (slot, since, transfer_id).
 * Locks: the new rows. Rows: those of the batch that have not ended yet.
 */
export function insertOpenTransfers(rows: readonly TransferRow[]): string[] {
  const open = rows.filter((row) => !isEnded(row.state));
  if (open.length === 0) return [];
  const values = open.map((row) => `(${count(row.slot)},${time(row.requestedAt)},${uuid(row.id)})`);
  return [`INSERT INTO open_transfers (slot, since, transfer_id) VALUES ${values.join(',')}`];
}
