import { commitHold, creditRefusal, hold, holdRefusal, post, releaseHold } from './account.js';
import type { Account } from './account.js';
import { InvariantViolation, transitLegs } from './ledger.js';
import type { Leg } from './ledger.js';
import { isSystemAccountId } from './ids.js';
import type { AccountId, TransferId } from './ids.js';
import type { Money } from './money.js';
import type { Reason } from './reasons.js';
import { STEP } from './steps.js';
import type { Step } from './steps.js';

export type TransferKind = 'transfer' | 'funding' | 'fee' | 'reversal' | 'adjustment';
export type Capture = 'auto' | 'manual';
export type TransferStatus = 'requested' | 'held' | 'committed' | 'rejected' | 'cancelled';
export type EndStatus = 'committed' | 'rejected' | 'cancelled';

/** What a transfer says from its first moment on and never changes. */
export interface TransferTerms {
  readonly id: TransferId;
  readonly source: AccountId;
  readonly destination: AccountId;
  readonly amount: Money;
}

/** The transfer as the source's shard sees it. */
export type Transfer =
  | { readonly status: 'requested'; readonly terms: TransferTerms }
  | { readonly status: 'held'; readonly terms: TransferTerms }
  | { readonly status: 'committed'; readonly terms: TransferTerms }
  | { readonly status: 'rejected'; readonly terms: TransferTerms; readonly reason: Reason }
  | { readonly status: 'cancelled'; readonly terms: TransferTerms; readonly reason: Reason };

/** What the destination's shard decided about a transfer: written once, never changed. */
export type Decision =
  | { readonly outcome: 'credited' }
  | { readonly outcome: 'refused'; readonly reason: Reason }
  | { readonly outcome: 'voided'; readonly reason: Reason };

export type TransferEvent =
  | { readonly type: 'requested'; readonly step: 10 }
  | { readonly type: 'held'; readonly step: 20 }
  | { readonly type: 'rejected'; readonly step: 20 | 40; readonly reason: Reason }
  | { readonly type: 'credited'; readonly step: 30 }
  | { readonly type: 'refused'; readonly step: 30; readonly reason: Reason }
  | { readonly type: 'voided'; readonly step: 30; readonly reason: Reason }
  | { readonly type: 'committed'; readonly step: 40 }
  | { readonly type: 'cancelled'; readonly step: 40; readonly reason: Reason };

export type TransferEventType = TransferEvent['type'];

/** Commands on the source's shard. Accounts come in as their locked rows say. */
export type SourceCommand =
  | { readonly type: 'hold'; readonly account: Account | undefined }
  /** Ends a transfer that nobody took up; it takes the place of the hold. */
  | { readonly type: 'expire' }
  | { readonly type: 'settle'; readonly decision: Decision; readonly account: Account | undefined };

/** Commands on the destination's shard. */
export type DestinationCommand =
  | { readonly type: 'credit'; readonly account: Account | undefined }
  | { readonly type: 'void'; readonly reason: Reason };

/** What a command comes to. A refusal is an accepted event; an alarm changes nothing. */
export type Outcome =
  | {
      readonly kind: 'accepted';
      readonly event: TransferEvent;
      /** The one account this step changed, after the change. */
      readonly account: Account | undefined;
      readonly legs: readonly Leg[];
    }
  | { readonly kind: 'already_applied' }
  | { readonly kind: 'alarm'; readonly alarm: Alarm };

/** States that no legal history leads to. Nothing is changed; a person must look. */
export type Alarm =
  | 'transfer_missing'
  | 'decision_before_hold'
  | 'credited_but_not_committable'
  | 'committed_but_not_credited'
  | 'held_account_missing'
  | 'terms_differ';

const ALREADY_APPLIED: Outcome = { kind: 'already_applied' };

function accepted(
  event: TransferEvent,
  account: Account | undefined,
  legs: readonly Leg[] = [],
): Outcome {
  return { kind: 'accepted', event, account, legs };
}

function alarm(code: Alarm): Outcome {
  return { kind: 'alarm', alarm: code };
}

/** Decides a step on the source's shard. Pure: time, ids and rows come in with the arguments. */
export function decideSource(transfer: Transfer | undefined, command: SourceCommand): Outcome {
  if (!transfer) return alarm('transfer_missing');
  switch (command.type) {
    case 'hold':
      return decideHold(transfer, command.account);
    case 'expire':
      return transfer.status === 'requested'
        ? accepted({ type: 'rejected', step: STEP.hold, reason: 'not_processed' }, undefined)
        : ALREADY_APPLIED;
    case 'settle':
      return command.decision.outcome === 'credited'
        ? decideCommit(transfer, command.account)
        : decideRelease(transfer, command.decision, command.account);
    default:
      return command satisfies never;
  }
}

function decideHold(transfer: Transfer, account: Account | undefined): Outcome {
  if (transfer.status !== 'requested') return ALREADY_APPLIED;
  const { amount, source, destination } = transfer.terms;
  const reason = source === destination ? 'same_account' : holdRefusal(account, amount);
  if (reason || !account) {
    return accepted(
      { type: 'rejected', step: STEP.hold, reason: reason ?? 'source_not_found' },
      undefined,
    );
  }
  return accepted({ type: 'held', step: STEP.hold }, hold(account, amount.minor));
}

/** Past the pivot there are no business checks: frozen or closed accounts cannot stop a commit. */
function decideCommit(transfer: Transfer, account: Account | undefined): Outcome {
  switch (transfer.status) {
    case 'committed':
      return ALREADY_APPLIED;
    case 'requested':
      return alarm('decision_before_hold');
    case 'rejected':
    case 'cancelled':
      return alarm('credited_but_not_committable');
    case 'held': {
      if (!account) return alarm('held_account_missing');
      const { id, amount } = transfer.terms;
      const after = commitHold(account, amount.minor);
      const posting = { transferId: id, step: STEP.end, after, signedMinor: -amount.minor };
      return accepted({ type: 'committed', step: STEP.end }, after, transitLegs(posting));
    }
    default:
      return transfer satisfies never;
  }
}

function decideRelease(
  transfer: Transfer,
  decision: Exclude<Decision, { outcome: 'credited' }>,
  account: Account | undefined,
): Outcome {
  const event: TransferEvent =
    decision.outcome === 'refused'
      ? { type: 'rejected', step: STEP.end, reason: decision.reason }
      : { type: 'cancelled', step: STEP.end, reason: decision.reason };
  switch (transfer.status) {
    case 'rejected':
    case 'cancelled':
      return ALREADY_APPLIED;
    case 'committed':
      return alarm('committed_but_not_credited');
    case 'requested':
      return accepted(event, undefined);
    case 'held':
      if (!account) return alarm('held_account_missing');
      return accepted(event, releaseHold(account, transfer.terms.amount.minor));
    default:
      return transfer satisfies never;
  }
}

/** Decides a step on the destination's shard. `decision` is the locked row, if there is one. */
export function decideDestination(
  terms: TransferTerms,
  decision: Decision | undefined,
  command: DestinationCommand,
): Outcome {
  if (decision) return ALREADY_APPLIED;
  switch (command.type) {
    case 'credit': {
      const { account } = command;
      const reason = creditRefusal(account, terms.amount);
      if (reason || !account) {
        return accepted(
          { type: 'refused', step: STEP.decide, reason: reason ?? 'destination_not_found' },
          undefined,
        );
      }
      const after = post(account, terms.amount.minor);
      const posting = {
        transferId: terms.id,
        step: STEP.decide,
        after,
        signedMinor: terms.amount.minor,
      };
      return accepted({ type: 'credited', step: STEP.decide }, after, transitLegs(posting));
    }
    case 'void':
      return accepted({ type: 'voided', step: STEP.decide, reason: command.reason }, undefined);
    default:
      return command satisfies never;
  }
}

/**
 * Folds one event of a transfer's stream into it; `undefined` is the empty stream. Decisions lie on
 * the destination's shard and leave the source's state as it is.
 * @throws InvariantViolation for an event that no legal history has at this place
 */
export function evolve(
  transfer: Transfer | undefined,
  event: TransferEvent,
  terms: TransferTerms,
): Transfer {
  if (event.type === 'requested') {
    if (transfer) throw illegalMove(transfer.status, event);
    return { status: 'requested', terms };
  }
  if (!transfer) throw illegalMove('nothing', event);
  const move = moveOf(event, terms);
  if (!move) return transfer;
  if (!move.from.includes(transfer.status)) throw illegalMove(transfer.status, event);
  return move.to;
}

/** Where an event of the source's stream leads, and from which states alone. */
function moveOf(
  event: Exclude<TransferEvent, { type: 'requested' }>,
  terms: TransferTerms,
): { readonly from: readonly TransferStatus[]; readonly to: Transfer } | undefined {
  switch (event.type) {
    case 'credited':
    case 'refused':
    case 'voided':
      return undefined;
    case 'held':
      return { from: ['requested'], to: { status: 'held', terms } };
    case 'committed':
      return { from: committable(terms), to: { status: 'committed', terms } };
    case 'rejected': {
      const { reason } = event;
      return { from: endable(event.step), to: { status: 'rejected', terms, reason } };
    }
    case 'cancelled': {
      const { reason } = event;
      return { from: endable(event.step), to: { status: 'cancelled', terms, reason } };
    }
    default:
      return event satisfies never;
  }
}

/** In place of the hold only what holds nothing may end. */
function endable(step: Step): readonly TransferStatus[] {
  return step === STEP.hold ? ['requested'] : ['requested', 'held'];
}

/** A funding holds nothing: the other side is the external account of the same slot. */
function committable({ source, destination }: TransferTerms): readonly TransferStatus[] {
  const isFunding = isSystemAccountId(source) || isSystemAccountId(destination);
  return isFunding ? ['requested'] : ['held'];
}

function illegalMove(status: string, event: TransferEvent): InvariantViolation {
  return new InvariantViolation(`${event.type} (step ${event.step}) cannot follow on ${status}`);
}

/** The decision that an event of the destination's shard records, if it records one. */
export function decisionOf(event: TransferEvent): Decision | undefined {
  switch (event.type) {
    case 'credited':
      return { outcome: 'credited' };
    case 'refused':
    case 'voided':
      return { outcome: event.type, reason: event.reason };
    case 'requested':
    case 'held':
    case 'rejected':
    case 'committed':
    case 'cancelled':
      return undefined;
    default:
      return event satisfies never;
  }
}

export function isEnded(status: TransferStatus): status is EndStatus {
  return status === 'committed' || status === 'rejected' || status === 'cancelled';
}
