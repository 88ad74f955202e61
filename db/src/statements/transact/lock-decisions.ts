import type { TransferId } from '@surety/domain';
import type { DecisionRow } from '@surety/saga';
import { uuid } from '../../connection/literals.js';
import { DECISION_COLUMNS, readDecisionRow } from '../rows/decision-row.js';
import { chunksOf, inLockOrder } from './shape.js';
import type { LockRead } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (transfer_id, part). Locks: the rows that exist, shared,
 * ascending by key; after transfers, before accounts. Rows: at most VALUES_MAX a statement. A decision
 * never changes: whoever finds it need not keep others from reading it, and no role may change it,
 * which MySQL would ask for before it locks a row exclusively (docs/decisions/0073).
 */
export function lockDecisions(ids: readonly TransferId[]): LockRead<DecisionRow> {
  const statements = chunksOf(inLockOrder(ids)).map(
    (chunk) =>
      `SELECT ${DECISION_COLUMNS} FROM decisions FORCE INDEX (PRIMARY) ` +
      `WHERE transfer_id IN (${chunk.map(uuid).join(', ')}) AND part = 0 ` +
      'ORDER BY transfer_id, part LOCK IN SHARE MODE',
  );
  return { statements, read: readDecisionRow };
}
