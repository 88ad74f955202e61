import { decisionOfEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import type { Decision, EndStatus } from '@surety/domain';
import { applySteps } from '@surety/saga';
import type { StepResult } from '@surety/saga';
import type { SweepContext } from './context.js';
import { isolateBroken, leaveBroken } from './isolate.js';
import { authored, idsOf } from './repair.js';
import type { Repair, RepairCause, RepairKind } from './repair.js';

/** A transfer whose destination has decided: the event that the source's shard must follow. */
export interface Settlement {
  readonly decided: Envelope;
  readonly before: Readonly<Record<string, unknown>>;
}

/** Where a transfer goes by the decision on its destination. */
export const END_OF: Readonly<Record<Decision['outcome'], EndStatus>> = {
  credited: 'committed',
  refused: 'rejected',
  voided: 'cancelled',
};

/**
 * Follows decisions at the source with the very steps of the workers: credited is committed, refused
 * and voided are released. Whatever a worker did meanwhile makes these steps change nothing.
 */
export async function settle(
  context: SweepContext,
  cause: RepairCause,
  settlements: readonly Settlement[],
): Promise<void> {
  if (context.dryRun) {
    for (const settlement of settlements) {
      // The transfer stays as it is, and the sweep that comes next need not speak of it again.
      context.itemBackoff.attempted(settlement.decided.transferId);
      context.listener.repaired(planned(context, cause, settlement));
    }
    return;
  }
  const { source, holdTimeoutMs } = context;
  const { done, faulty } = await isolateBroken(settlements, (batch) =>
    applySteps(
      source.store,
      batch.map((settlement) => settlement.decided),
      { holdTimeoutMs, ...authored(context.author, cause) },
    ),
  );
  for (const { item, result } of done) {
    if (hasApplied(context, item, result)) context.listener.repaired(planned(context, cause, item));
  }
  for (const { item, error } of faulty) {
    const message = `${item.decided.type} cannot be followed at the source`;
    leaveBroken(context, { shard: source.id, event: item.decided, message, error });
  }
}

function hasApplied(context: SweepContext, settlement: Settlement, result: StepResult): boolean {
  const { transferId } = settlement.decided;
  switch (result.kind) {
    case 'applied':
      context.itemBackoff.forget(transferId);
      return true;
    case 'already_applied':
      // A worker was faster. Should its row stay in the sweep all the same, it is not tried at once.
      context.itemBackoff.attempted(transferId);
      return false;
    case 'alarm':
      context.itemBackoff.attempted(transferId);
      context.listener.trouble({
        kind: 'alarm',
        shard: context.source.id,
        ...idsOf(settlement.decided),
        message: `${settlement.decided.type} met ${result.alarm}: nothing was changed`,
      });
      return false;
    default:
      return result satisfies never;
  }
}

function planned(
  context: SweepContext,
  cause: RepairCause,
  { decided, before }: Settlement,
): Repair {
  const decision = decisionOfEnvelope(decided);
  if (!decision) throw new TypeError(`${decided.id} is no decision`);
  const { outcome } = decision;
  const kind: RepairKind = outcome === 'credited' ? 'commit' : 'release';
  const reason = 'reason' in decision ? { reason: decision.reason } : {};
  return {
    kind,
    cause,
    shard: context.source.id,
    slot: decided.sourceSlot,
    ...idsOf(decided),
    before: { ...before, decision: outcome },
    after: { state: END_OF[outcome], ...reason },
  };
}
