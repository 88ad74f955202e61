import type { Session } from '../../connection/session.js';
import { chunksOf } from '../transact/shape.js';

/**
 * Deletes exactly these rows, never a range: a smaller number may not have been seen yet.
 * Caller: relay, after the broker acknowledged them. Index: PRIMARY (seq). Locks: those rows,
 * ascending. Rows: those given, in one round trip. Fewer affected rows mean that another relay
 * published them too, which is harmless.
 * @returns the number of deleted rows
 * @throws StoreError
 */
export async function deleteOutbox(session: Session, seqs: readonly bigint[]): Promise<number> {
  if (seqs.length === 0) return 0;
  const statements = chunksOf([...seqs].sort((a, b) => (a < b ? -1 : 1))).map(
    (chunk) => `DELETE FROM outbox WHERE seq IN (${chunk.join(', ')})`,
  );
  const results = await session.send(statements);
  return results.reduce((sum, { affectedRows }) => sum + affectedRows, 0);
}
