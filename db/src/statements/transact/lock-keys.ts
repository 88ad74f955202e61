import { keyOf } from '@surety/saga';
import type { KeyRef, KeyRow } from '@surety/saga';
import {
  readCount,
  readHex,
  readTextOrNull,
  readTime,
  readUuidOrNull,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { bytes, count } from '../../connection/literals.js';
import { PAIRS_MAX, chunksOf, compareKeys } from './shape.js';
import type { LockRead } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (slot, key_hash), a range for each pair. Locks: the rows that
 * exist, shared, ascending by key; after placement, before transfers: a key never changes, and is not
 * removed meanwhile (docs/decisions/0073). Rows: at most PAIRS_MAX a statement. A missing row is not locked: two inserters of one key meet at the primary key. So do
 * those who presume that a key is absent and do not call this in their first attempt.
 */
export function lockKeys(refs: readonly KeyRef[]): LockRead<KeyRow> {
  const unique = [...new Map(refs.map((ref) => [keyOf(ref), ref])).values()].sort(compareKeys);
  const statements = chunksOf(unique, PAIRS_MAX).map((chunk) => {
    const pairs = chunk.map((ref) => `(${count(ref.slot)}, ${bytes(ref.keyHash)})`).join(', ');
    return (
      'SELECT slot, key_hash, fingerprint, transfer_id, answer, created_at, expires_at ' +
      'FROM idempotency_keys FORCE INDEX (PRIMARY) ' +
      `WHERE (slot, key_hash) IN (${pairs}) ORDER BY slot, key_hash LOCK IN SHARE MODE`
    );
  });
  return { statements, read: readKeyRow };
}

export function readKeyRow(row: Row): KeyRow {
  const [slot, keyHash, fingerprint, transferId, answer, createdAt, expiresAt] = row;
  return {
    slot: readCount(slot),
    keyHash: readHex(keyHash),
    fingerprint: readHex(fingerprint),
    transferId: readUuidOrNull(transferId),
    answer: readTextOrNull(answer),
    createdAt: readTime(createdAt),
    expiresAt: readTime(expiresAt),
  };
}
