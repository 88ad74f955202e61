import type { Session } from '../../connection/session.js';
import { chunksOf } from '../transact/shape.js';
import { OUTBOX_COLUMNS, readOutboxRow } from './read-outbox.js';
import type { StoredOutboxRow } from './read-outbox.js';

/**
 * Those of the given rows that are committed, ascending.
 * Caller: relay, for gaps. Index: PRIMARY (seq), a range for each number. Locks: none. Rows: at most
 * those asked for, in one round trip.
 * @throws StoreError
 */
export async function readOutboxBySeq(
  session: Session,
  seqs: readonly bigint[],
): Promise<StoredOutboxRow[]> {
  if (seqs.length === 0) return [];
  const statements = chunksOf([...seqs].sort((a, b) => (a < b ? -1 : 1))).map(
    (chunk) =>
      `SELECT ${OUTBOX_COLUMNS} FROM outbox WHERE seq IN (${chunk.join(', ')}) ORDER BY seq`,
  );
  const results = await session.send(statements);
  return results.flatMap(({ rows }) => rows.map(readOutboxRow));
}
