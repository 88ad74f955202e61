import type { KeyRow } from '@surety/saga';
import { bytes, count, storedTextOrNull, time, uuid } from '../../connection/literals.js';
import { compareKeys } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (slot, key_hash). Locks: the new rows, ascending by key.
 * Rows: those of the batch. A key that exists raises 1062: another transaction won, or the key was
 * presumed absent and never looked for. The whole is read again, with all its keys.
 */
export function insertKeys(rows: readonly KeyRow[]): string[] {
  if (rows.length === 0) return [];
  const values = [...rows]
    .sort(compareKeys)
    .map(
      (row) =>
        `(${count(row.slot)},${bytes(row.keyHash)},${bytes(row.fingerprint)},` +
        `${row.transferId === null ? 'NULL' : uuid(row.transferId)},${storedTextOrNull(row.answer)},` +
        `${time(row.createdAt)},${time(row.expiresAt)})`,
    );
  return [
    'INSERT INTO idempotency_keys ' +
      '(slot, key_hash, fingerprint, transfer_id, answer, created_at, expires_at) ' +
      `VALUES ${values.join(',')}`,
  ];
}
