import type { Envelope } from '@surety/contracts';
import { isEnded } from '@surety/domain';
import type { Account } from '@surety/domain';
import { snapshotOf } from './answering.js';
import type { AuditEntry, DecisionRow, TransferRow } from './ports.js';
import { stepNameOf } from './step-name.js';

/** Why a step is taken outside the ordinary course of its transfer: it then leaves a line. */
export interface AuditNote {
  /** Where it comes from, the first part of the line's action: `reconcile`, `operator`, `cancel`. */
  readonly via: string;
  readonly reason: string;
}

type State = Readonly<Record<string, unknown>>;

/** What a step does, by the event it leaves behind: its name, but for a step that says no. */
export function verbOf(event: Envelope): string {
  if (event.type === 'refused') return 'refuse';
  const step = stepNameOf(event);
  return event.type === 'rejected' && step === 'hold' ? 'reject' : step;
}

/** A transfer and its source account as the source's shard knows them. */
export function transferState(row: TransferRow | undefined, account?: Account): State {
  if (!row) return { state: null };
  const { state, reason } = row;
  const isHeld = state === 'held' ? { holdMinor: row.amountMinor.toString() } : {};
  return {
    state,
    ...(isEnded(state) && reason ? { reason } : {}),
    ...isHeld,
    ...accountState(account),
  };
}

/** What the destination's shard has decided, and its account where it was looked at. */
export function decisionState(row: DecisionRow | undefined, account?: Account): State {
  if (!row) return { decision: null, ...accountState(account) };
  const { outcome } = row.decision;
  const reason = 'reason' in row.decision ? { reason: row.decision.reason } : {};
  return { decision: outcome, ...reason, ...accountState(account) };
}

function accountState(account: Account | undefined): State {
  return account ? { account: snapshotOf(account) } : {};
}

export interface AuditedStep {
  readonly note: AuditNote;
  readonly actor: string;
  /** The event that the step left behind. */
  readonly event: Envelope;
  readonly verb: string;
  readonly slot: number;
  readonly before: State;
  readonly after: State;
}

export function auditLine(step: AuditedStep): AuditEntry {
  const { note, actor, event, verb, slot, before, after } = step;
  return {
    actor,
    action: `${note.via}.${verb}`,
    transferId: event.transferId,
    slot,
    reason: note.reason,
    before,
    after: { ...after, event: event.id, answers: event.causation },
  };
}
