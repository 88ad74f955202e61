import { readBigint, readCount, readUuid } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface UnbalancedStep {
  readonly transferId: string;
  readonly step: number;
  readonly sumMinor: bigint;
}

/**
 * Steps whose legs do not sum to zero: where in a slot the imbalance is.
 * Caller: checks, in a snapshot. Index: PRIMARY (transfer_id, step, leg), in order. Locks: none.
 * Rows: at most OFFENDERS_MAX.
 * @throws StoreError
 */
export function unbalancedSteps(snapshot: Session): Promise<UnbalancedStep[]> {
  const sql =
    'SELECT transfer_id, step, SUM(amount) FROM ledger_entries ' +
    'GROUP BY transfer_id, step HAVING SUM(amount) <> 0 ' +
    `ORDER BY transfer_id, step LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    transferId: readUuid(row[0]),
    step: readCount(row[1]),
    sumMinor: readBigint(row[2]),
  }));
}
