import { readBigint, readCount, readText } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

export interface HeldTotal {
  readonly currency: string;
  readonly sumMinor: bigint;
  readonly holds: number;
}

/**
 * What is held on this shard, by currency.
 * Caller: reconciler's gauges. Index: a scan of holds (open ones only), PRIMARY of transfers. Locks:
 * none. Rows: one for each currency.
 * @throws StoreError
 */
export function heldTotals(session: Session): Promise<HeldTotal[]> {
  const sql =
    'SELECT t.currency, SUM(h.amount), COUNT(*) FROM holds AS h ' +
    'JOIN transfers AS t ON t.id = h.transfer_id GROUP BY t.currency ORDER BY t.currency';
  return readRows(session, sql, (row) => ({
    currency: readText(row[0]),
    sumMinor: readBigint(row[1]),
    holds: readCount(row[2]),
  }));
}
