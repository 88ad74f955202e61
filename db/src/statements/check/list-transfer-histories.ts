import type { Step, TransferEventType, TransferId } from '@surety/domain';
import type { TransferRow } from '@surety/saga';
import { readCount, readText, readUuid } from '../../connection/cells.js';
import { count, uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { TRANSFER_COLUMNS, readTransferRow } from '../rows/transfer-row.js';

export interface TransferHistory {
  readonly transfer: TransferRow;
  /** Types of the events that lie on this shard, by step. */
  readonly events: ReadonlyMap<Step, TransferEventType>;
}

/**
 * Transfers with the types of their events, in the order of their ids, page by page: what a state is
 * compared with its history by.
 * Caller: checks, in a snapshot. Index: PRIMARY of transfers, a range; PRIMARY of transfer_events, the
 * range between the first and the last of them. Locks: none. Rows: at most `limit` transfers.
 * @throws StoreError
 */
export async function listTransferHistories(
  snapshot: Session,
  after: TransferId | undefined,
  limit: number,
): Promise<TransferHistory[]> {
  const range = after ? `WHERE id > ${uuid(after)} ` : '';
  const transfers = await readRows(
    snapshot,
    `SELECT ${TRANSFER_COLUMNS} FROM transfers FORCE INDEX (PRIMARY) ${range}` +
      `ORDER BY id LIMIT ${count(limit)}`,
    readTransferRow,
  );
  const first = transfers[0];
  const last = transfers.at(-1);
  if (!first || !last) return [];
  const histories = new Map(
    transfers.map((transfer) => [
      transfer.id,
      { transfer, events: new Map<Step, TransferEventType>() },
    ]),
  );
  const events = await readRows(
    snapshot,
    'SELECT transfer_id, step, type FROM transfer_events FORCE INDEX (PRIMARY) ' +
      `WHERE transfer_id BETWEEN ${uuid(first.id)} AND ${uuid(last.id)}`,
    (row) => row,
  );
  for (const [id, step, type] of events) {
    const history = histories.get(readUuid(id));
    history?.events.set(readCount(step) as Step, readText(type) as TransferEventType);
  }
  return [...histories.values()];
}
