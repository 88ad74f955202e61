import type { KeyRef, KeyRow } from '@surety/saga';
import { bytes, count } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { readKeyRow } from '../transact/lock-keys.js';

/**
 * Caller: ingress. Index: PRIMARY (slot, key_hash). Locks: none. Rows: at most one.
 * @throws StoreError
 */
export async function findKey(session: Session, ref: KeyRef): Promise<KeyRow | undefined> {
  const sql =
    'SELECT slot, key_hash, fingerprint, transfer_id, answer, created_at, expires_at ' +
    'FROM idempotency_keys ' +
    `WHERE slot = ${count(ref.slot)} AND key_hash = ${bytes(ref.keyHash)}`;
  return (await readRows(session, sql, readKeyRow))[0];
}
