import type { TransferId } from '@surety/domain';
import { readCount } from '../../../connection/cells.js';
import { uuid } from '../../../connection/literals.js';
import { readRows } from '../../../connection/session.js';
import type { Session } from '../../../connection/session.js';
import type { TransferRecords } from './transfer-records.js';

/** How many rows of each kind one shard has about the transfers of a range. */
export type RecordCounts = Readonly<Record<keyof TransferRecords, number>>;

/**
 * Counts what `readTransferRecords` would read of a range: no row leaves the server.
 * Caller: checks, in a snapshot. Index: PRIMARY of each table, one range. Locks: none. Rows: one.
 * @throws StoreError
 */
export async function countTransferRecords(
  snapshot: Session,
  range: { readonly from: TransferId; readonly below: TransferId },
): Promise<RecordCounts> {
  const [from, below] = [uuid(range.from), uuid(range.below)];
  const countOf = (table: string, id = 'transfer_id'): string =>
    `SELECT COUNT(*) FROM ${table} FORCE INDEX (PRIMARY) WHERE ${id} >= ${from} AND ${id} < ${below}`;
  const sql =
    `SELECT (${countOf('transfers', 'id')}), (${countOf('transfer_events')}), ` +
    `(${countOf('decisions')} AND part = 0), (${countOf('ledger_entries')}), ` +
    `(${countOf('transaction_status')})`;
  const [counts] = await readRows(snapshot, sql, (row) => ({
    transfers: readCount(row[0]),
    events: readCount(row[1]),
    decisions: readCount(row[2]),
    legs: readCount(row[3]),
    statuses: readCount(row[4]),
  }));
  if (!counts) throw new TypeError('a row was asked for and none came');
  return counts;
}
