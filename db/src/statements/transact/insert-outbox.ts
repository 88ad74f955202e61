import type { Timestamp } from '@surety/contracts';
import type { OutboxRow } from '@surety/saga';
import { count, listed, storedText, time, word } from '../../connection/literals.js';

/**
 * Caller: transact, after the events. Index: PRIMARY (seq), given by the engine. Locks: the new
 * rows. Rows: one for each topic and partition that the batch has events for.
 */
export function insertOutbox(rows: readonly OutboxRow[], now: Timestamp): string[] {
  if (rows.length === 0) return [];
  const createdAt = time(now);
  const values = listed(
    rows,
    (row) => `(${word(row.topic)},${count(row.partition)},${storedText(row.payload)},${createdAt})`,
  );
  return [`INSERT INTO outbox (topic, topic_partition, payload, created_at) VALUES ${values}`];
}
