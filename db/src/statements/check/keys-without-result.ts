import type { TransferId } from '@surety/domain';
import { readCount, readHex, readUuidOrNull } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface KeyWithoutResult {
  readonly slot: number;
  readonly keyHash: string;
  /** Null where the key should name an account. */
  readonly transferId: TransferId | null;
}

/** An account's id in the character set of `accounts`, for its index. What is no JSON names nobody. */
const ACCOUNT_ID =
  "CONVERT(JSON_UNQUOTE(IF(JSON_VALID(k.answer), JSON_EXTRACT(k.answer, '$.accountId'), NULL)) " +
  'USING ascii) COLLATE ascii_bin';

/**
 * Idempotency keys that name neither a transfer nor, where they name none, an account that exists.
 * Caller: checks, in a snapshot. Index: a scan of keys, PRIMARY of transfers and of accounts. Locks:
 * none. Rows: at most OFFENDERS_MAX.
 * @throws StoreError
 */
export function keysWithoutResult(snapshot: Session): Promise<KeyWithoutResult[]> {
  const sql =
    'SELECT k.slot, k.key_hash, k.transfer_id FROM idempotency_keys AS k ' +
    'LEFT JOIN transfers AS t ON t.id = k.transfer_id ' +
    `LEFT JOIN accounts AS a ON k.transfer_id IS NULL AND a.id = ${ACCOUNT_ID} ` +
    'WHERE t.id IS NULL AND a.id IS NULL ' +
    `ORDER BY k.slot, k.key_hash LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    slot: readCount(row[0]),
    keyHash: readHex(row[1]),
    transferId: readUuidOrNull(row[2]),
  }));
}
