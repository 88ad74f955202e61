import type { EventRow } from '@surety/saga';
import { count, listed, storedText, time, uuid, word } from '../../connection/literals.js';
import { EVENT_COLUMNS } from '../rows/event-row.js';
import { inStepOrder } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (transfer_id, step), the guard of promise 2: the same step
 * inserted twice raises 1062. Locks: the new rows. Rows: those of the batch.
 */
export function insertEvents(rows: readonly EventRow[]): string[] {
  if (rows.length === 0) return [];
  const values = listed(inStepOrder(rows), valuesOf);
  return [`INSERT INTO transfer_events (${EVENT_COLUMNS}) VALUES ${values}`];
}

function valuesOf(row: EventRow): string {
  return (
    `(${uuid(row.transferId)},${count(row.step)},${count(row.slot)},${word(row.type)},` +
    `${time(row.occurredAt)},${storedText(row.envelope)})`
  );
}
