import { createHash } from 'node:crypto';
import { bytes, count, text, word } from '../../connection/literals.js';
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

/** A letter's name, 64 hex digits: of the same consumer and payload there is one letter only. */
export function letterOf({
  consumer,
  payload,
}: Pick<DeadLetterRow, 'consumer' | 'payload'>): string {
  return createHash('sha256').update(consumer).update('\0').update(payload).digest('hex');
}

/**
 * Keeps a message that was given up. The same message again is the same letter: with the origin that
 * is known already (its offset was not committed) nothing changes; from elsewhere (it was sent again)
 * it is counted, its newest origin and error are kept, and a letter that was replayed is open again.
 * Caller: workers, projector. Index: PRIMARY (id), given by the engine; dead_letters_by_letter.
 * Locks: the one row. Rows: one. Assignments are made from left to right: all of them but the last
 * ones see the origin that was known before.
 * @throws StoreError
 */
export async function insertDeadLetter(session: Session, row: DeadLetterRow): Promise<void> {
  const { consumer, topic, partition, offset, slot, eventId, payload } = row;
  const error = text(row.error.slice(0, ERROR_LENGTH_MAX));
  const [topicText, partitionText, offsetText] = [text(topic), count(partition), offset.toString()];
  const isKnown = `topic = ${topicText} AND topic_partition = ${partitionText} AND topic_offset = ${offsetText}`;
  await changeRows(
    session,
    'INSERT INTO dead_letters (letter, consumer, topic, topic_partition, topic_offset, slot, ' +
      'event_id, payload, error, created_at, last_seen_at) VALUES (' +
      `${bytes(letterOf(row))}, ${word(consumer)}, ${topicText}, ${partitionText}, ${offsetText}, ` +
      `${slot === null ? 'NULL' : count(slot)}, ${eventId === null ? 'NULL' : text(eventId)}, ` +
      `${text(payload)}, ${error}, NOW(6), NOW(6)) ON DUPLICATE KEY UPDATE ` +
      `occurrences = IF(${isKnown}, occurrences, occurrences + 1), ` +
      `state = IF(${isKnown} OR state <> 'replayed', state, 'open'), ` +
      `last_seen_at = IF(${isKnown}, last_seen_at, NOW(6)), error = ${error}, ` +
      `topic = ${topicText}, topic_partition = ${partitionText}, topic_offset = ${offsetText}`,
  );
}
