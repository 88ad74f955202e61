import { readBigint, readText } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

export interface HoldSum {
  readonly currency: string;
  /** Minor units. */
  readonly sum: bigint;
}

/**
 * What is held on a shard, by currency; currencies without holds are left out.
 * Caller: reconciler's gauge. Index: all of holds (open ones only), PRIMARY (id) of accounts. Locks:
 * none. Rows: one for each currency.
 * @throws StoreError
 */
export function sumHolds(session: Session): Promise<HoldSum[]> {
  const sql =
    'SELECT a.currency, SUM(h.amount) FROM holds AS h ' +
    'STRAIGHT_JOIN accounts AS a ON a.id = h.account_id GROUP BY a.currency';
  return readRows(session, sql, ([currency, sum]) => ({
    currency: readText(currency),
    sum: readBigint(sum),
  }));
}
