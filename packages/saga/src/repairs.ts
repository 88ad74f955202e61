import { termsOf } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { decideDestination, decideSource, decisionOf, evolve } from '@surety/domain';
import type { Decision, Reason } from '@surety/domain';
import { auditLine, decisionState, transferState } from './audit.js';
import type { AuditNote } from './audit.js';
import { answering, decisionRowOf, transferOf } from './answering.js';
import { ChangeSet } from './change-set.js';
import { OutboxComposer } from './outbox.js';
import { NO_CHANGES } from './ports.js';
import type { AuditEntry, ShardStore } from './ports.js';

export interface VoidRequest {
  /** Any event of the transfer that carries its terms: requested or held. */
  readonly cause: Envelope;
  readonly reason: Reason;
  readonly actor: string;
  /** With it, a void that this call writes leaves a line in audit_log, in the same transaction. */
  readonly audit?: AuditNote;
}

export interface VoidResult {
  /** What stands on the destination's shard: the new void, or what was decided before. */
  readonly decision: Decision;
  /** The event of a void written by this call; undefined where a decision stood already. */
  readonly voided: Envelope | undefined;
}

/**
 * Fences transfers at their destination: where nothing was decided yet, `voided` is written and no
 * later credit can happen; else the decision that stands is returned and must be followed.
 * This comes before every release of a hold (decision before release).
 * @throws StoreError
 */
export function voidTransfers(
  store: ShardStore,
  requests: readonly VoidRequest[],
): Promise<readonly VoidResult[]> {
  const load = { decisions: requests.map((request) => request.cause.transferId) };
  return store.transact(load, (loaded) => {
    const set = new ChangeSet(loaded, load);
    const result = requests.map((request) => takeVoid(set, request));
    return { changes: set.finish(), result };
  });
}

function takeVoid(set: ChangeSet, { cause, reason, actor, audit }: VoidRequest): VoidResult {
  const standing = set.decision(cause.transferId);
  const command = { type: 'void', reason } as const;
  const outcome = decideDestination(termsOf(cause), standing?.decision, command);
  if (standing) return { decision: standing.decision, voided: undefined };
  const event = outcome.kind === 'accepted' ? outcome.event : undefined;
  const decision = event && decisionOf(event);
  if (!event || !decision) throw new TypeError(`a void of ${cause.transferId} decided nothing`);
  const voided = answering(cause, { event, now: set.now, actor, account: undefined });
  const row = decisionRowOf(cause, decision);
  set.insertDecision(row);
  set.record(voided, cause.destinationSlot);
  if (audit) {
    const [before, after] = [decisionState(undefined), decisionState(row)];
    const slot = cause.destinationSlot;
    set.audit(auditLine({ note: audit, actor, event: voided, verb: 'void', slot, before, after }));
  }
  return { decision, voided };
}

/**
 * Ends requested transfers that nobody took up in time (reason not_processed), under the row lock
 * that a hold would need. True for each that this call ended.
 * @param audit with it, each that is ended leaves a line in audit_log, in the same transaction
 * @throws StoreError
 */
export function expireRequested(
  store: ShardStore,
  requested: readonly Envelope[],
  actor: string,
  audit?: AuditNote,
): Promise<readonly boolean[]> {
  const load = { transfers: requested.map((envelope) => envelope.transferId) };
  return store.transact(load, (loaded) => {
    const set = new ChangeSet(loaded, load);
    const result = requested.map((envelope) => takeExpiry(set, envelope, { actor, audit }));
    return { changes: set.finish(), result };
  });
}

/** Who repairs, and what the line in audit_log says, which is of the repair's own transaction. */
export interface RepairBy {
  readonly actor: string;
  readonly audit: AuditNote | undefined;
}

function takeExpiry(set: ChangeSet, requested: Envelope, { actor, audit }: RepairBy): boolean {
  const row = set.transfer(requested.transferId);
  const outcome = decideSource(row && transferOf(row), { type: 'expire' });
  if (!row || outcome.kind !== 'accepted') return false;
  const { event } = outcome;
  const answer = answering(requested, { event, now: set.now, actor, account: undefined });
  set.moveTransfer(row, evolve(transferOf(row), event, termsOf(requested)));
  set.record(answer, row.slot);
  if (audit) {
    const [before, after] = [transferState(row), transferState(set.transfer(row.id))];
    const { slot } = row;
    set.audit(
      auditLine({ note: audit, actor, event: answer, verb: 'expire', slot, before, after }),
    );
  }
  return true;
}

export interface StoredEvent {
  readonly envelope: Envelope;
  /** The bytes of transfer_events: same id, same bytes, however often they are sent. */
  readonly encoded: string;
}

/**
 * Writes the outbox rows of stored events once more, for work that Kafka lost. Receivers that had
 * them before change nothing.
 * @param by with it, each event leaves a line in audit_log, in the same transaction
 * @throws StoreError
 */
export function sendAgain(
  store: ShardStore,
  events: readonly StoredEvent[],
  by?: RepairBy,
): Promise<void> {
  return store.transact({}, ({ now, shardOf, partitions }) => {
    const outbox = new OutboxComposer({ shardOf, partitions });
    for (const { envelope, encoded } of events) outbox.add(envelope, encoded);
    const audit = by ? events.flatMap(({ envelope }) => sentLine(envelope, by, now)) : [];
    return { changes: { ...NO_CHANGES, outbox: outbox.finish(), audit }, result: undefined };
  });
}

function sentLine(envelope: Envelope, { actor, audit }: RepairBy, now: string): AuditEntry[] {
  if (!audit) return [];
  const { id, transferId, type, occurredAt } = envelope;
  const slot = envelope.step === 30 ? envelope.destinationSlot : envelope.sourceSlot;
  const before = { event: id, type, occurredAt };
  const after = { sentAt: now };
  const { via, reason } = audit;
  return [{ actor, action: `${via}.send_again`, transferId, slot, reason, before, after }];
}
