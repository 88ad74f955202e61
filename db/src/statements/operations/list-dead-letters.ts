import type { Timestamp } from '@surety/contracts';
import type { DeadLetter, DeadLetterState } from '@surety/saga';
import {
  readBigint,
  readCount,
  readHex,
  readText,
  readTextOrNull,
  readTime,
  readTimeOrNull,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { bytes, count, word } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { letterOf } from './insert-dead-letter.js';
import type { DeadLetterRow } from './insert-dead-letter.js';

export interface StoredDeadLetter extends DeadLetterRow, DeadLetter {
  readonly state: DeadLetterState;
  /** How often it came, each time from another place in Kafka; the newest one is its origin. */
  readonly occurrences: number;
  readonly createdAt: Timestamp;
  readonly lastSeenAt: Timestamp;
  readonly handledBy: string | null;
  readonly handledReason: string | null;
  readonly handledAt: Timestamp | null;
}

const COLUMNS =
  'letter, consumer, topic, topic_partition, topic_offset, slot, event_id, payload, error, ' +
  'state, occurrences, created_at, last_seen_at, handled_by, handled_reason, handled_at';

/** Hex digits of a whole letter's name. */
const LETTER_DIGITS = 64;

function readDeadLetter(row: Row): StoredDeadLetter {
  const [consumer, payload] = [readText(row[1]), readText(row[7])];
  const createdAt = readTime(row[11]);
  return {
    // A process of the release before writes none.
    letter: row[0] === null ? letterOf({ consumer, payload }) : readHex(row[0]),
    consumer,
    topic: readText(row[2]),
    partition: readCount(row[3]),
    offset: readBigint(row[4]),
    slot: row[5] === null ? null : readCount(row[5]),
    eventId: readTextOrNull(row[6]),
    payload,
    error: readText(row[8]),
    state: readText(row[9]) as DeadLetterState,
    occurrences: readCount(row[10]),
    createdAt,
    lastSeenAt: readTimeOrNull(row[12]) ?? createdAt,
    handledBy: readTextOrNull(row[13]),
    handledReason: readTextOrNull(row[14]),
    handledAt: readTimeOrNull(row[15]),
  };
}

/**
 * Dead letters, newest first.
 * Caller: operators. Index: PRIMARY (id) backwards, or dead_letters_by_state. Locks: none. Rows: at
 * most `limit`.
 * @throws StoreError
 */
export function listDeadLetters(
  session: Session,
  limit: number,
  state?: DeadLetterState,
): Promise<StoredDeadLetter[]> {
  const where = state === undefined ? '' : `WHERE state = ${word(state)} `;
  const sql = `SELECT ${COLUMNS} FROM dead_letters ${where}ORDER BY id DESC LIMIT ${count(limit)}`;
  return readRows(session, sql, readDeadLetter);
}

/**
 * The letters whose name begins with these hex digits, at most two: more than one is ambiguous.
 * Caller: operators. Index: dead_letters_by_letter. Locks: none. Rows: at most two.
 * @throws StoreError of kind `data` for a prefix that is not of 1 to 64 hex digits
 */
export async function findDeadLetters(
  session: Session,
  prefix: string,
): Promise<StoredDeadLetter[]> {
  const from = bytes(prefix.padEnd(LETTER_DIGITS, '0'));
  const to = bytes(prefix.padEnd(LETTER_DIGITS, 'f'));
  const sql =
    `SELECT ${COLUMNS} FROM dead_letters FORCE INDEX (dead_letters_by_letter) ` +
    `WHERE letter BETWEEN ${from} AND ${to} ORDER BY letter LIMIT 2`;
  return await readRows(session, sql, readDeadLetter);
}

/**
 * How many letters there are of each state.
 * Caller: operators, reconciler. Index: dead_letters_by_state alone. Locks: none. Rows: one a state.
 * @throws StoreError
 */
export async function countDeadLetters(
  session: Session,
): Promise<ReadonlyMap<DeadLetterState, number>> {
  const sql = 'SELECT state, COUNT(*) FROM dead_letters GROUP BY state';
  const rows = await readRows(
    session,
    sql,
    (row) => [readText(row[0]) as DeadLetterState, Number(readBigint(row[1]))] as const,
  );
  return new Map(rows);
}
