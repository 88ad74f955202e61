import type { Timestamp } from '@surety/contracts';
import {
  readBigint,
  readCount,
  readText,
  readTextOrNull,
  readTime,
} from '../../connection/cells.js';
import { count } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import type { DeadLetterRow } from './insert-dead-letter.js';

export interface StoredDeadLetter extends DeadLetterRow {
  readonly id: bigint;
  readonly createdAt: Timestamp;
}

/**
 * Dead letters, newest first.
 * Caller: operators. Index: PRIMARY (id). Locks: none. Rows: at most `limit`.
 * @throws StoreError
 */
export function listDeadLetters(session: Session, limit: number): Promise<StoredDeadLetter[]> {
  const sql =
    'SELECT id, consumer, topic, topic_partition, topic_offset, slot, event_id, payload, error, ' +
    `created_at FROM dead_letters ORDER BY id DESC LIMIT ${count(limit)}`;
  return readRows(session, sql, (row) => ({
    id: readBigint(row[0]),
    consumer: readText(row[1]),
    topic: readText(row[2]),
    partition: readCount(row[3]),
    offset: readBigint(row[4]),
    slot: row[5] === null ? null : readCount(row[5]),
    eventId: readTextOrNull(row[6]),
    payload: readText(row[7]),
    error: readText(row[8]),
    createdAt: readTime(row[9]),
  }));
}
