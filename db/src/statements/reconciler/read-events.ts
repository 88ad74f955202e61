import type { EventRow } from '@surety/saga';
import { count, uuid } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { EVENT_COLUMNS, readEventRow } from '../rows/event-row.js';
import { PAIRS_MAX, chunksOf } from '../transact/shape.js';

export type EventRef = Pick<EventRow, 'transferId' | 'step'>;

/**
 * The events that exist among those asked for, by key within each chunk.
 * Caller: reconciler. Index: PRIMARY (transfer_id, step), a range for each pair. Locks: none. Rows:
 * at most those asked for, in one round trip.
 * @throws StoreError
 */
export async function readEvents(session: Session, refs: readonly EventRef[]): Promise<EventRow[]> {
  if (refs.length === 0) return [];
  const statements = chunksOf(refs, PAIRS_MAX).map((chunk) => {
    const pairs = chunk.map((ref) => `(${uuid(ref.transferId)}, ${count(ref.step)})`).join(', ');
    return (
      `SELECT ${EVENT_COLUMNS} FROM transfer_events FORCE INDEX (PRIMARY) ` +
      `WHERE (transfer_id, step) IN (${pairs}) ORDER BY transfer_id, step`
    );
  });
  const results = await session.send(statements);
  return results.flatMap(({ rows }) => rows.map(readEventRow));
}
