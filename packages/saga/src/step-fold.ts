import { decisionOfEnvelope, termsOf } from '@surety/contracts';
import type { Envelope, Topic } from '@surety/contracts';
import {
  InvariantViolation,
  decideDestination,
  decideSource,
  decisionOf,
  evolve,
} from '@surety/domain';
import type { Account, Alarm, Outcome, TransferEvent, TransferTerms } from '@surety/domain';
import { auditLine, decisionState, transferState, verbOf } from './audit.js';
import type { AuditNote } from './audit.js';
import { answering, decisionRowOf, transferOf } from './answering.js';
import type { ChangeSet } from './change-set.js';
import type { TransferRow } from './ports.js';
import { addMs } from './time.js';

export interface StepOptions {
  readonly holdTimeoutMs: number;
  /** Who runs the steps: `saga` for workers and ingress, `reconciler` for repairs. */
  readonly actor: string;
  /** Where the steps are a repair: each that takes effect leaves a line in audit_log with it. */
  readonly audit?: AuditNote;
  /**
   * Whether the steps that follow on this very shard are taken in the same transaction, given the
   * slot they act on. All rows and events are still written, except a hold that would be inserted
   * and deleted at once. Leave it out where the following steps belong to another process. It must
   * answer from one map, that of the store's epoch: rows are locked by its first answers.
   */
  readonly continuesOn?: (slot: number) => boolean;
}

/** What became of one event that was handed in. */
export type StepResult =
  | { readonly kind: 'applied'; readonly events: readonly Envelope[] }
  | { readonly kind: 'already_applied' }
  | { readonly kind: 'alarm'; readonly alarm: Alarm };

/** Events that are an order to somebody; the others only tell. */
export function isActionable(envelope: Envelope): boolean {
  const { type } = envelope;
  return type !== 'committed' && type !== 'rejected' && type !== 'cancelled';
}

/** The slot whose shard acts on this event. */
export function actingSlot(envelope: Envelope): number {
  return envelope.type === 'held' ? envelope.destinationSlot : envelope.sourceSlot;
}

interface WrittenStep {
  readonly cause: Envelope;
  readonly answer: Envelope;
  readonly slot: number;
  readonly before: Readonly<Record<string, unknown>>;
}

/** Decides steps one after the other over the rows of one transaction, each on what those before it left. */
export class StepFold {
  readonly #set: ChangeSet;
  readonly #options: StepOptions;

  constructor(set: ChangeSet, options: StepOptions) {
    this.#set = set;
    this.#options = options;
  }

  /** One event and all that follows from it here. A chain is at most hold, decide, end. */
  take(envelope: Envelope): StepResult {
    const events: Envelope[] = [];
    let next: Envelope | undefined = envelope;
    while (next && isActionable(next)) {
      const cause: Envelope = next;
      const outcome: Outcome = this.#decide(cause);
      if (outcome.kind === 'alarm' && events.length > 0) {
        throw new InvariantViolation(`${outcome.alarm} right after ${cause.id} was decided`);
      }
      // A decision that was there before the hold (a cancel) has its own event on the way.
      if (outcome.kind !== 'accepted') return events.length > 0 ? applied(events) : outcome;
      const answer = answering(cause, {
        event: outcome.event,
        now: this.#set.now,
        actor: this.#options.actor,
        account: outcome.account ?? this.#observed(cause),
      });
      this.#store(cause, answer, outcome);
      events.push(answer);
      next = this.continuesHere(answer) ? answer : undefined;
    }
    return applied(events);
  }

  /** Whether the step that answers this event is taken on this shard, in this transaction. */
  continuesHere(answer: Envelope): boolean {
    if (!isActionable(answer)) return false;
    return this.#options.continuesOn?.(actingSlot(answer)) ?? false;
  }

  #decide(envelope: Envelope): Outcome {
    const terms = termsOf(envelope);
    if (envelope.type === 'held') {
      const row = this.#set.decision(terms.id);
      if (row && !sameTerms(row, terms)) return { kind: 'alarm', alarm: 'terms_differ' };
      const account = this.#set.account(terms.destination);
      return decideDestination(terms, row?.decision, { type: 'credit', account });
    }
    const row = this.#set.transfer(terms.id);
    if (!row) return { kind: 'alarm', alarm: 'transfer_missing' };
    if (!sameTerms(row, terms)) return { kind: 'alarm', alarm: 'terms_differ' };
    const account = this.#set.account(terms.source);
    const decision = decisionOfEnvelope(envelope);
    return decideSource(
      transferOf(row),
      decision ? { type: 'settle', decision, account } : { type: 'hold', account },
    );
  }

  /** A refusal carries the account as it was seen, so that anybody can prove it right later. */
  #observed(cause: Envelope): Account | undefined {
    if (cause.type === 'held') return this.#set.account(cause.data.destination);
    return cause.type === 'requested' ? this.#set.account(cause.data.source) : undefined;
  }

  #store(cause: Envelope, answer: Envelope, outcome: Extract<Outcome, { kind: 'accepted' }>): void {
    const set = this.#set;
    const { event } = outcome;
    const decision = decisionOf(event);
    const slot = decision ? answer.destinationSlot : answer.sourceSlot;
    const before = this.#stateFor(cause);
    if (outcome.account) set.putAccount(outcome.account);
    if (outcome.legs.length > 0) set.addLegs(outcome.legs);
    if (decision) set.insertDecision(decisionRowOf(cause, decision));
    else this.#moveTransfer(cause, event);
    set.record(answer, slot, this.#topic(answer));
    if (before) this.#writeDown({ cause, answer, slot, before });
  }

  #writeDown({ cause, answer, slot, before }: WrittenStep): void {
    const { audit: note, actor } = this.#options;
    const after = this.#stateFor(cause);
    if (!note || !after) return;
    const verb = verbOf(answer);
    this.#set.audit(auditLine({ note, actor, event: answer, verb, slot, before, after }));
  }

  /** What the step of this event looks at: only worked out where a line of audit_log needs it. */
  #stateFor(cause: Envelope): Readonly<Record<string, unknown>> | undefined {
    if (!this.#options.audit) return undefined;
    const set = this.#set;
    const { transferId, data } = cause;
    return cause.type === 'held'
      ? decisionState(set.decision(transferId), set.account(data.destination))
      : transferState(set.transfer(transferId), set.account(data.source));
  }

  #moveTransfer(cause: Envelope, event: TransferEvent): void {
    const row = this.#set.transfer(cause.transferId) as TransferRow;
    if (event.type === 'held') {
      this.#set.insertHold({
        transferId: row.id,
        slot: row.slot,
        account: row.source,
        amountMinor: row.amountMinor,
        expiresAt: addMs(this.#set.now, this.#options.holdTimeoutMs),
      });
    } else if (row.state === 'held') {
      this.#set.deleteHold(row.id);
    }
    this.#set.moveTransfer(row, evolve(transferOf(row), event, termsOf(cause)));
  }

  /** What is taken up here in the same breath goes to the listeners only, not to a worker. */
  #topic(answer: Envelope): Topic | undefined {
    return this.continuesHere(answer) ? 'ended' : undefined;
  }
}

function applied(events: readonly Envelope[]): StepResult {
  return { kind: 'applied', events };
}

function sameTerms(
  row: { source: string; destination: string; amountMinor: bigint; currency: string },
  terms: TransferTerms,
): boolean {
  return (
    row.source === terms.source &&
    row.destination === terms.destination &&
    row.amountMinor === terms.amount.minor &&
    row.currency === terms.amount.currency
  );
}
