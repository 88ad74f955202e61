import type { Topic } from '@surety/contracts';
import type { OutboxRow } from '@surety/saga';
import { readBigint, readCount, readText } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { count } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { chunksOf } from '../transact/shape.js';
import { ascending, deleteOutboxSql } from './delete-outbox.js';

export interface OutboxAdvance {
  /** Sequence numbers of rows that the broker acknowledged: they are deleted first. */
  readonly acknowledged: readonly bigint[];
  /** Rows after this number are read, at most `limit` of them. */
  readonly afterSeq: bigint;
  readonly limit: number;
  /** Rows that are read by their numbers. */
  readonly gaps: readonly bigint[];
}

export interface NumberedOutboxRow extends OutboxRow {
  /** Local to the shard. Rows become visible in the order of commits, not of this number. */
  readonly seq: bigint;
}

export interface OutboxPage {
  /** Committed rows after `afterSeq`, ascending. */
  readonly rows: readonly NumberedOutboxRow[];
  /** Those of `gaps` that are committed, ascending. */
  readonly found: readonly NumberedOutboxRow[];
}

export const NUMBERED_COLUMNS = 'seq, topic, topic_partition, payload';

export function readNumberedRow(row: Row): NumberedOutboxRow {
  return {
    seq: readBigint(row[0]),
    topic: readText(row[1]) as Topic,
    partition: readCount(row[2]),
    payload: readText(row[3]),
  };
}

/**
 * A relay's whole step in the database: deletes what was acknowledged, then reads on, in one round
 * trip. What is read does not contain what was deleted.
 * Caller: relay. Index: PRIMARY (seq): one lookup for each deleted row, a range for the rows after a
 * number, one for each gap. Locks: the deleted rows, ascending, let go before the reads begin. Rows:
 * at most `limit` and those asked for. Where the deletion fails, nothing is read; where the answer is
 * lost, the rows may be deleted or not, and deleting them again is right.
 * @throws StoreError
 */
export async function advanceOutbox(session: Session, advance: OutboxAdvance): Promise<OutboxPage> {
  const deletions = chunksOf(ascending(advance.acknowledged)).map(deleteOutboxSql);
  const read =
    `SELECT ${NUMBERED_COLUMNS} FROM outbox WHERE seq > ${advance.afterSeq} ` +
    `ORDER BY seq LIMIT ${count(advance.limit)}`;
  const gapReads = chunksOf(ascending(advance.gaps)).map(
    (chunk) =>
      `SELECT ${NUMBERED_COLUMNS} FROM outbox WHERE seq IN (${chunk.join(', ')}) ORDER BY seq`,
  );
  const results = await session.send([...deletions, read, ...gapReads]);
  const [page, ...gapPages] = results.slice(deletions.length);
  return {
    rows: (page?.rows ?? []).map(readNumberedRow),
    found: gapPages.flatMap(({ rows }) => rows.map(readNumberedRow)),
  };
}
