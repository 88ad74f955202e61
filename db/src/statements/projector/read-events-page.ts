import type { EventRow } from '@surety/saga';
import { count, uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { EVENT_COLUMNS, readEventRow } from '../rows/event-row.js';

export type EventPosition = Pick<EventRow, 'transferId' | 'step'>;

/**
 * All events of the shard in the order of their key, page by page.
 * Caller: rebuild. Index: PRIMARY (transfer_id, step), a range. Locks: none. Rows: at most `limit`.
 * @throws StoreError
 */
export function readEventsPage(
  session: Session,
  after: EventPosition | undefined,
  limit: number,
): Promise<EventRow[]> {
  const id = after && uuid(after.transferId);
  const range = after
    ? `WHERE transfer_id >= ${id} AND (transfer_id > ${id} OR step > ${count(after.step)}) `
    : '';
  const sql =
    `SELECT ${EVENT_COLUMNS} FROM transfer_events FORCE INDEX (PRIMARY) ${range}` +
    `ORDER BY transfer_id, step LIMIT ${count(limit)}`;
  return readRows(session, sql, readEventRow);
}
