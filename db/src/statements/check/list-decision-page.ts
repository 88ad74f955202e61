import type { TransferId } from '@surety/domain';
import type { DecisionRow } from '@surety/saga';
import { count, uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { DECISION_COLUMNS, readDecisionRow } from '../rows/decision-row.js';

/**
 * All decisions of a shard in the order of their ids, page by page: what the transfers of other
 * shards are compared with.
 * Caller: checks, in a snapshot. Index: PRIMARY (transfer_id, part), a range. Locks: none. Rows: at
 * most `limit`.
 * @throws StoreError
 */
export function listDecisionPage(
  snapshot: Session,
  after: TransferId | undefined,
  limit: number,
): Promise<DecisionRow[]> {
  const range = after ? `AND transfer_id > ${uuid(after)} ` : '';
  const sql =
    `SELECT ${DECISION_COLUMNS} FROM decisions FORCE INDEX (PRIMARY) WHERE part = 0 ${range}` +
    `ORDER BY transfer_id, part LIMIT ${count(limit)}`;
  return readRows(snapshot, sql, readDecisionRow);
}
