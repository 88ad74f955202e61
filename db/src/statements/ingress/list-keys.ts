import { keyOf } from '@surety/saga';
import type { KeyRef, KeyRow } from '@surety/saga';
import { bytes, count } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { readKeyRow } from '../transact/lock-keys.js';
import { PAIRS_MAX, chunksOf } from '../transact/shape.js';

/**
 * Those of the keys that were used, by `keyOf`.
 * Caller: ingress. Index: PRIMARY (slot, key_hash), a range for each pair. Locks: none. Rows: at most
 * those asked for, PAIRS_MAX a statement, in one round trip.
 * @throws StoreError
 */
export async function listKeys(
  session: Session,
  refs: readonly KeyRef[],
): Promise<ReadonlyMap<string, KeyRow>> {
  if (refs.length === 0) return new Map();
  const statements = chunksOf(refs, PAIRS_MAX).map((chunk) => {
    const pairs = chunk.map((ref) => `(${count(ref.slot)}, ${bytes(ref.keyHash)})`).join(', ');
    return (
      'SELECT slot, key_hash, fingerprint, transfer_id, answer, created_at, expires_at ' +
      `FROM idempotency_keys FORCE INDEX (PRIMARY) WHERE (slot, key_hash) IN (${pairs})`
    );
  });
  const results = await session.send(statements);
  const rows = results.flatMap((result) => result.rows.map(readKeyRow));
  return new Map(rows.map((row) => [keyOf(row), row]));
}
