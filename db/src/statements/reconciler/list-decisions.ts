import type { TransferId } from '@surety/domain';
import type { DecisionRow } from '@surety/saga';
import { uuid } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { DECISION_COLUMNS, readDecisionRow } from '../rows/decision-row.js';
import { chunksOf, inLockOrder } from '../transact/shape.js';

/**
 * The decisions that exist among those asked for, by id.
 * Caller: reconciler, checks, CLI. Index: PRIMARY (transfer_id, part). Locks: none. Rows: at most
 * those asked for, in one round trip.
 * @throws StoreError
 */
export async function listDecisions(
  session: Session,
  ids: readonly TransferId[],
): Promise<DecisionRow[]> {
  if (ids.length === 0) return [];
  const statements = chunksOf(inLockOrder(ids)).map(
    (chunk) =>
      `SELECT ${DECISION_COLUMNS} FROM decisions FORCE INDEX (PRIMARY) ` +
      `WHERE transfer_id IN (${chunk.map(uuid).join(', ')}) AND part = 0 ` +
      'ORDER BY transfer_id, part',
  );
  const results = await session.send(statements);
  return results.flatMap(({ rows }) => rows.map(readDecisionRow));
}
