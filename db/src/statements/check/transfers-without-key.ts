import type { TransferId } from '@surety/domain';
import { readCount, readUuid } from '../../connection/cells.js';
import { count } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface TransferWithoutKey {
  readonly transferId: TransferId;
  readonly slot: number;
}

/** A key lives at least so long: what is older may have lost its key in good order. */
const KEY_LIFETIME_HOURS = 24;
/** Slots looked into: one that is wrong is enough to raise the alarm. */
const SLOTS_MAX = 10;

/**
 * Transfers and fundings of the last day that no idempotency key names. Keys have no index by
 * transfer, so the slots whose counts differ are found first, and only those are joined.
 * Caller: checks, in a snapshot. Index: a scan of transfers and of keys; then PRIMARY (slot, key_hash)
 * of keys, one slot at a time. Locks: none. Rows: at most OFFENDERS_MAX for each of SLOTS_MAX slots.
 * @throws StoreError
 */
export async function transfersWithoutKey(snapshot: Session): Promise<TransferWithoutKey[]> {
  const young = (column: string): string =>
    `${column} > NOW(6) - INTERVAL ${KEY_LIFETIME_HOURS} HOUR`;
  const slots = await readRows(
    snapshot,
    'SELECT t.slot FROM (SELECT slot, COUNT(*) AS transfers FROM transfers ' +
      `WHERE ${young('requested_at')} AND kind IN ('transfer', 'funding') GROUP BY slot) AS t ` +
      'LEFT JOIN (SELECT slot, COUNT(DISTINCT transfer_id) AS named FROM idempotency_keys ' +
      `WHERE ${young('created_at')} GROUP BY slot) AS k ON k.slot = t.slot ` +
      `WHERE t.transfers > COALESCE(k.named, 0) ORDER BY t.slot LIMIT ${SLOTS_MAX}`,
    (row) => readCount(row[0]),
  );
  if (slots.length === 0) return [];
  const results = await snapshot.send(
    slots.map(
      (slot) =>
        'SELECT t.id, t.slot FROM transfers AS t ' +
        `LEFT JOIN (SELECT transfer_id FROM idempotency_keys WHERE slot = ${count(slot)}) AS k ` +
        `ON k.transfer_id = t.id WHERE t.slot = ${count(slot)} AND ${young('t.requested_at')} ` +
        "AND t.kind IN ('transfer', 'funding') AND k.transfer_id IS NULL " +
        `ORDER BY t.id LIMIT ${OFFENDERS_MAX}`,
    ),
  );
  return results.flatMap(({ rows }) =>
    rows.map((row) => ({ transferId: readUuid(row[0]), slot: readCount(row[1]) })),
  );
}
