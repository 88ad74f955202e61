import { termsOf } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { decideDestination, decideSource, decisionOf, evolve } from '@surety/domain';
import type { Decision, Reason } from '@surety/domain';
import { ChangeSet, answering, decisionRowOf, transferOf } from './change-set.js';
import { OutboxComposer } from './outbox.js';
import { NO_CHANGES } from './ports.js';
import type { ShardStore } from './ports.js';

export interface VoidRequest {
  /** Any event of the transfer that carries its terms: requested or held. */
  readonly cause: Envelope;
  readonly reason: Reason;
  readonly actor: string;
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

function takeVoid(set: ChangeSet, { cause, reason, actor }: VoidRequest): VoidResult {
  const standing = set.decision(cause.transferId);
  const command = { type: 'void', reason } as const;
  const outcome = decideDestination(termsOf(cause), standing?.decision, command);
  if (standing) return { decision: standing.decision, voided: undefined };
  const event = outcome.kind === 'accepted' ? outcome.event : undefined;
  const decision = event && decisionOf(event);
  if (!event || !decision) throw new TypeError(`a void of ${cause.transferId} decided nothing`);
  const voided = answering(cause, { event, now: set.now, actor, account: undefined });
  set.insertDecision(decisionRowOf(cause, decision));
  set.record(voided, cause.destinationSlot);
  return { decision, voided };
}

/**
 * Ends requested transfers that nobody took up in time (reason not_processed), under the row lock
 * that a hold would need. True for each that this call ended.
 * @throws StoreError
 */
export function expireRequested(
  store: ShardStore,
  requested: readonly Envelope[],
  actor: string,
): Promise<readonly boolean[]> {
  const load = { transfers: requested.map((envelope) => envelope.transferId) };
  return store.transact(load, (loaded) => {
    const set = new ChangeSet(loaded, load);
    const result = requested.map((envelope) => takeExpiry(set, envelope, actor));
    return { changes: set.finish(), result };
  });
}

function takeExpiry(set: ChangeSet, requested: Envelope, actor: string): boolean {
  const row = set.transfer(requested.transferId);
  const outcome = decideSource(row && transferOf(row), { type: 'expire' });
  if (!row || outcome.kind !== 'accepted') return false;
  const { event } = outcome;
  set.moveTransfer(row, evolve(transferOf(row), event, termsOf(requested)));
  set.record(answering(requested, { event, now: set.now, actor, account: undefined }), row.slot);
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
 * @throws StoreError
 */
export function sendAgain(store: ShardStore, events: readonly StoredEvent[]): Promise<void> {
  return store.transact({}, () => {
    const outbox = new OutboxComposer();
    for (const { envelope, encoded } of events) outbox.add(envelope, encoded);
    return { changes: { ...NO_CHANGES, outbox: outbox.finish() }, result: undefined };
  });
}
