import { readBigint, readCount, readText } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface UnbalancedSlot {
  readonly slot: number;
  readonly currency: string;
  readonly sumMinor: bigint;
  readonly legs: number;
}

/**
 * Slots and currencies whose legs do not sum to zero (promise 1).
 * Caller: checks, in a snapshot. Index: a scan of PRIMARY. Locks: none. Rows: at most OFFENDERS_MAX.
 * @throws StoreError
 */
export function unbalancedSlots(snapshot: Session): Promise<UnbalancedSlot[]> {
  const sql =
    'SELECT slot, currency, SUM(amount), COUNT(*) FROM ledger_entries GROUP BY slot, currency ' +
    `HAVING SUM(amount) <> 0 ORDER BY slot, currency LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    slot: readCount(row[0]),
    currency: readText(row[1]),
    sumMinor: readBigint(row[2]),
    legs: readCount(row[3]),
  }));
}
