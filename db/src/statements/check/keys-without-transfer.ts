import type { TransferId } from '@surety/domain';
import { readCount, readHex, readUuid } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface KeyWithoutTransfer {
  readonly slot: number;
  readonly keyHash: string;
  readonly transferId: TransferId;
}

/**
 * Idempotency keys that name a transfer which does not exist.
 * Caller: checks, in a snapshot. Index: a scan of keys, PRIMARY of transfers. Locks: none. Rows: at
 * most OFFENDERS_MAX.
 * @throws StoreError
 */
export function keysWithoutTransfer(snapshot: Session): Promise<KeyWithoutTransfer[]> {
  const sql =
    'SELECT k.slot, k.key_hash, k.transfer_id FROM idempotency_keys AS k ' +
    'LEFT JOIN transfers AS t ON t.id = k.transfer_id ' +
    'WHERE k.transfer_id IS NOT NULL AND t.id IS NULL ' +
    `ORDER BY k.slot, k.key_hash LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    slot: readCount(row[0]),
    keyHash: readHex(row[1]),
    transferId: readUuid(row[2]),
  }));
}
