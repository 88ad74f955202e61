import type { TransferId } from '@surety/domain';
import type { EventRow } from '@surety/saga';
import { uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { EVENT_COLUMNS, readEventRow } from '../rows/event-row.js';

/**
 * The events that this shard decided of a transfer, by step.
 * Caller: ingress, CLI. Index: PRIMARY (transfer_id, step). Locks: none. Rows: one for each step.
 * @throws StoreError
 */
export function readTimeline(session: Session, id: TransferId): Promise<EventRow[]> {
  const sql =
    `SELECT ${EVENT_COLUMNS} FROM transfer_events ` +
    `WHERE transfer_id = ${uuid(id)} ORDER BY transfer_id, step`;
  return readRows(session, sql, readEventRow);
}
