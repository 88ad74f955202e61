import { readBigint, readText } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

export interface TransitSum {
  readonly currency: string;
  /** Over all slots of this shard. Over all shards it is what is credited and not yet committed, negative. */
  readonly sumMinor: bigint;
}

/**
 * What is under way between slots, by currency.
 * Caller: checks, in a snapshot of all shards. Index: ledger_entries_by_account, the range of transit
 * accounts. Locks: none. Rows: one for each currency.
 * @throws StoreError
 */
export function transitSums(snapshot: Session): Promise<TransitSum[]> {
  const sql =
    'SELECT currency, SUM(amount) FROM ledger_entries ' +
    "WHERE account_id >= '~transit:' AND account_id < '~transit;' " +
    'GROUP BY currency ORDER BY currency';
  return readRows(snapshot, sql, (row) => ({
    currency: readText(row[0]),
    sumMinor: readBigint(row[1]),
  }));
}
