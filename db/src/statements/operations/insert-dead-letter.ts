import { count, text, word } from '../../connection/literals.js';
import { changeRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

export interface DeadLetterRow {
  /** Who gave it up, for instance `workers`. */
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly slot: number | null;
  /** transferId/step, where it is known which event of the message fails. */
  readonly eventId: string | null;
  readonly payload: string;
  readonly error: string;
}

/** What does not fit would be refused, and the partition would stand still for its error message. */
const ERROR_LENGTH_MAX = 4_000;

/**
 * Caller: workers. Index: PRIMARY (id), given by the engine. Locks: the new row. Rows: one; the same
 * letter may come twice where an offset was not committed.
 * @throws StoreError
 */
export async function insertDeadLetter(session: Session, letter: DeadLetterRow): Promise<void> {
  const { consumer, topic, partition, offset, slot, eventId, payload, error } = letter;
  await changeRows(
    session,
    'INSERT INTO dead_letters (consumer, topic, topic_partition, topic_offset, slot, event_id, ' +
      `payload, error, created_at) VALUES (${word(consumer)}, ${text(topic)}, ` +
      `${count(partition)}, ${offset}, ${slot === null ? 'NULL' : count(slot)}, ` +
      `${eventId === null ? 'NULL' : text(eventId)}, ${text(payload)}, ${text(error.slice(0, ERROR_LENGTH_MAX))}, NOW(6))`,
  );
}
