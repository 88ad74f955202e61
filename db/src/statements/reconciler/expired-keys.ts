import type { Fence, KeyRef } from '@surety/saga';
import { readCount, readFlag, readHex } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { bytes, count, jsonRows } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { checkFence } from '../leases/check-fence.js';
import { LOCK_PLACEMENT } from '../transact/lock-placement.js';

export interface ExpiredKeyPage {
  readonly expired: readonly KeyRef[];
  /** The last key that was looked at; undefined at the end of the table. */
  readonly next: KeyRef | undefined;
}

/**
 * Of `limit` idempotency keys in the order of their slots, those that may go: expired, and the
 * transfer they made has ended. A key whose transfer is absent stays: the checks tell of it.
 * Caller: reconciler. Index: PRIMARY (slot, key_hash), a range; PRIMARY of transfers for what is
 * expired. Locks: none. Rows: at most `limit`. An index on the expiry would cost every request an
 * insert more; this costs a slow walk.
 * @throws StoreError
 */
export async function listExpiredKeys(
  session: Session,
  after: KeyRef | undefined,
  limit: number,
): Promise<ExpiredKeyPage> {
  const sql =
    'SELECT k.slot, k.key_hash, k.is_expired = 1 AND (k.transfer_id IS NULL OR ' +
    "COALESCE(t.state IN ('committed', 'rejected', 'cancelled'), 0)) " +
    'FROM (SELECT slot, key_hash, transfer_id, expires_at <= NOW(6) AS is_expired ' +
    `FROM idempotency_keys FORCE INDEX (PRIMARY) WHERE ${isAfter(after)} ` +
    `ORDER BY slot, key_hash LIMIT ${count(limit)}) AS k ` +
    'LEFT JOIN transfers AS t FORCE INDEX (PRIMARY) ON k.is_expired = 1 AND t.id = k.transfer_id ' +
    'ORDER BY k.slot, k.key_hash';
  const [result] = await session.send([sql]);
  const rows = result?.rows ?? [];
  const last = rows.at(-1);
  return {
    expired: rows.filter((row) => readFlag(row[2])).map(keyOf),
    next: last && rows.length >= limit ? keyOf(last) : undefined,
  };
}

function isAfter(cursor: KeyRef | undefined): string {
  if (!cursor) return '1 = 1';
  const slot = count(cursor.slot);
  return `slot >= ${slot} AND (slot > ${slot} OR key_hash > ${bytes(cursor.keyHash)})`;
}

function keyOf(row: Row): KeyRef {
  return { slot: readCount(row[0]), keyHash: readHex(row[1]) };
}

/**
 * Caller: reconciler. Index: PRIMARY (slot, key_hash), one lookup a key. Locks: placement shared,
 * then those keys. Rows: those given that are still expired; fewer mean that others took them.
 * @returns how many were removed
 * @throws StoreError, of kind `fenced` where the lease has a newer holder
 */
export async function deleteExpiredKeys(
  session: Session,
  keys: readonly KeyRef[],
  fence?: Fence,
): Promise<number> {
  if (keys.length === 0) return 0;
  const rows = jsonRows(keys.map(({ slot, keyHash }) => [String(slot), keyHash]));
  const fenced = fence ? checkFence(fence, session.id) : [];
  const results = await session.send([
    'START TRANSACTION',
    LOCK_PLACEMENT,
    ...fenced,
    `DELETE k FROM JSON_TABLE(${rows}, '$[*]' COLUMNS (slot SMALLINT UNSIGNED PATH '$[0]', ` +
      "key_hash CHAR(64) CHARACTER SET ascii PATH '$[1]')) AS n " +
      'STRAIGHT_JOIN idempotency_keys AS k FORCE INDEX (PRIMARY) ' +
      'ON k.slot = n.slot AND k.key_hash = UNHEX(n.key_hash) WHERE k.expires_at <= NOW(6)',
    'COMMIT',
  ]);
  return results[2 + fenced.length]?.affectedRows ?? 0;
}
