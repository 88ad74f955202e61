import type { TransferId } from '@surety/domain';
import type { DecisionRow } from '@surety/saga';
import type { Session } from '../../connection/session.js';
import { listDecisions } from '../reconciler/list-decisions.js';

/**
 * Caller: ingress, CLI; on the destination's shard. Index: PRIMARY. Locks: none. Rows: at most one.
 * @throws StoreError
 */
export async function readDecision(
  session: Session,
  id: TransferId,
): Promise<DecisionRow | undefined> {
  return (await listDecisions(session, [id]))[0];
}
