import { changeRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

/**
 * Deletes exactly these rows, never a range: a smaller number may not have been seen yet.
 * Caller: relay, after the broker acknowledged them. Index: PRIMARY (seq), one lookup for each row of
 * the JSON table, of which a lone row has no need: a list of values lets MySQL scan a small table,
 * which waits for every insert in flight (tried). Locks: those rows, ascending. Rows: those given, in
 * one statement. Fewer affected rows mean that another relay published them too, which is harmless.
 * @returns the number of deleted rows
 * @throws StoreError
 */
export async function deleteOutbox(session: Session, seqs: readonly bigint[]): Promise<number> {
  if (seqs.length === 0) return 0;
  return changeRows(session, deleteOutboxSql(ascending(seqs)));
}

/** The order in which rows of the outbox are locked. */
export function ascending(seqs: readonly bigint[]): bigint[] {
  return [...seqs].sort((a, b) => (a < b ? -1 : 1));
}

/** @param seqs at least one, ascending */
export function deleteOutboxSql(seqs: readonly bigint[]): string {
  const [seq] = seqs;
  if (seqs.length === 1) {
    return `DELETE o FROM outbox AS o FORCE INDEX (PRIMARY) WHERE o.seq = ${seq}`;
  }
  const rows = `'[[${seqs.join('],[')}]]'`;
  return (
    `DELETE o FROM JSON_TABLE(${rows}, '$[*]' COLUMNS (seq BIGINT PATH '$[0]')) AS n ` +
    'STRAIGHT_JOIN outbox AS o FORCE INDEX (PRIMARY) ON o.seq = n.seq'
  );
}
