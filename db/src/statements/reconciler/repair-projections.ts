import { isEnded } from '@surety/domain';
import type { AuditEntry, Fence } from '@surety/saga';
import { count, uuid, word } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { checkFence } from '../leases/check-fence.js';
import { balanceUpserts } from '../projector/upsert-balances.js';
import { statusUpserts } from '../projector/upsert-transaction-statuses.js';
import type { BalanceRow, StatusRow } from '../rows/projection-rows.js';
import { insertAudit } from '../transact/insert-audit.js';
import { LOCK_PLACEMENT } from '../transact/lock-placement.js';
import { sortedBy } from '../transact/shape.js';

/**
 * What the truth says, and the version of the projection that stands there: null where none does. Of a
 * transfer that is under way nothing is projected: what stands there goes.
 */
export interface ProjectionRepair {
  readonly balances: readonly { readonly truth: BalanceRow; readonly seen: bigint | null }[];
  readonly statuses: readonly { readonly truth: StatusRow; readonly seen: number | null }[];
  readonly audit: readonly AuditEntry[];
}

/**
 * Writes projections anew from the truth that was read. One that is wrong rather than behind is
 * deleted first, as long as it has the version that was seen, because an upsert takes newer versions
 * only. So a projector that is faster meanwhile loses nothing.
 * Caller: reconciler. Index: PRIMARY of both. Locks: placement shared, the rows of the projections,
 * ascending. Rows: those given; the lines of audit_log are of the same transaction.
 * @throws StoreError, of kind `fenced` where the lease has a newer holder
 */
export async function repairProjections(
  session: Session,
  { balances, statuses, audit }: ProjectionRepair,
  fence?: Fence,
): Promise<void> {
  await session.send([
    'START TRANSACTION',
    LOCK_PLACEMENT,
    ...(fence ? checkFence(fence, session.id) : []),
    ...sortedBy(balances, ({ truth }) => truth.accountId).flatMap(deleteWrongBalance),
    ...balanceUpserts(balances.map(({ truth }) => truth)),
    ...sortedBy(statuses, ({ truth }) => truth.transferId).flatMap(deleteWrongStatus),
    ...statusUpserts(statuses.flatMap(({ truth }) => (isEnded(truth.status) ? truth : []))),
    ...insertAudit(audit),
    'COMMIT',
  ]);
}

function deleteWrongBalance({ truth, seen }: ProjectionRepair['balances'][number]): string[] {
  if (seen === null || seen < truth.version) return [];
  return [`DELETE FROM balances WHERE account_id = ${word(truth.accountId)} AND version = ${seen}`];
}

function deleteWrongStatus({ truth, seen }: ProjectionRepair['statuses'][number]): string[] {
  if (seen === null) return [];
  const key = uuid(truth.transferId);
  if (!isEnded(truth.status)) return [deleteUntilItEnds(key, { truth, seen })];
  if (seen < truth.version) return [];
  return [`DELETE FROM transaction_status WHERE transfer_id = ${key} AND version = ${count(seen)}`];
}

/** The state is compared again: what the projector has told of an end meanwhile stays. */
function deleteUntilItEnds(
  key: string,
  { truth, seen }: { readonly truth: StatusRow; readonly seen: number },
): string {
  return (
    'DELETE s FROM transaction_status AS s JOIN transfers AS t ON t.id = s.transfer_id ' +
    `WHERE s.transfer_id = ${key} AND s.version = ${count(seen)} AND t.state = ${word(truth.status)}`
  );
}
