import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { InvariantViolation, isEnded, slotOfTransferId } from '@surety/domain';
import type { Alarm, EndStatus, Reason, TransferId } from '@surety/domain';
import type { EventRow, ShardStore } from './ports.js';
import { voidTransfers } from './repairs.js';
import type { VoidRequest, VoidResult } from './repairs.js';
import { applySteps } from './steps.js';
import type { StepResult } from './steps.js';
import { statusOfEvents } from './stream-status.js';
import type { StatusNow } from './stream-status.js';

export interface CancelRequest {
  readonly transferId: TransferId;
  readonly reason: Reason;
  /** Who asks: `client:<tenant>`, `operator:<name>`. It stands in the voided event. */
  readonly actor: string;
}

/** The two shards of a transfer as a cancel needs them. Each call may fail with a StoreError. */
export interface CancelPorts {
  /** What the shard that carries the slot has of a transfer's events, by step. */
  events(slot: number, id: TransferId): Promise<readonly EventRow[]>;
  /** `voidTransfers` of this one on the shard that carries `cause.destinationSlot`. */
  void(request: VoidRequest): Promise<VoidResult>;
  /** `followDecisions` of this one on the shard that carries `decided.sourceSlot`. */
  follow(decided: Envelope): Promise<StepResult>;
}

export type CancelResult =
  /** The transfer's end, whoever brought it about: a repeat gives the same. */
  | {
      readonly kind: 'ended';
      readonly status: EndStatus;
      readonly reason: Reason | undefined;
      readonly updatedAt: string;
      /** True where this very call wrote `voided`. */
      readonly fenced: boolean;
    }
  | { readonly kind: 'not_found' }
  /** The source's row contradicts the decision: nothing was changed there, a person must look. */
  | { readonly kind: 'alarm'; readonly alarm: Alarm };

/**
 * Ends a transfer as cancelled unless its destination has decided otherwise. First the destination
 * is fenced (decision before release), then the source follows whatever stands there, in the steps
 * that a worker would take: voided is released, credited is committed, refused is released. So the
 * answer is always the end, and a poll after it finds that end.
 *
 * Safe to repeat and to abandon at any point: a void that was written has its event in the outbox,
 * and the workers drive it on.
 * @throws StoreError; then a repeat tells what became of it.
 */
export async function cancelTransfer(
  ports: CancelPorts,
  request: CancelRequest,
): Promise<CancelResult> {
  const { transferId, reason, actor } = request;
  const sourceSlot = slotOfTransferId(transferId);
  const stream = await ports.events(sourceSlot, transferId);
  const now = statusOfEvents(stream);
  if (!now) return { kind: 'not_found' };
  if (isEnded(now.status)) return endOf(now, false);
  const cause = envelopeOf(openingEvent(stream));
  const { voided } = await ports.void({ cause, reason, actor });
  const decided = voided ?? (await standingDecision(ports, cause));
  const followed = await ports.follow(decided);
  if (followed.kind === 'alarm') return followed;
  const after = statusOfEvents(await ports.events(sourceSlot, transferId));
  if (!after) throw new InvariantViolation(`transfer ${transferId} has lost its events`);
  return endOf(after, voided !== undefined);
}

/** The newest event that the void answers: held, or requested where nothing is held yet. */
function openingEvent(stream: readonly EventRow[]): EventRow {
  const event = stream.findLast(({ type }) => type === 'held' || type === 'requested');
  if (!event) throw new InvariantViolation('an open transfer has no event that opened it');
  return event;
}

async function standingDecision(ports: CancelPorts, cause: Envelope): Promise<Envelope> {
  const { transferId, destinationSlot } = cause;
  const events = await ports.events(destinationSlot, transferId);
  const event = events.find(({ step }) => step === 30);
  if (!event) throw new InvariantViolation(`the decision on ${transferId} has no event`);
  return envelopeOf(event);
}

function envelopeOf(event: EventRow): Envelope {
  return readEnvelope(event.envelope);
}

function endOf({ status, reason, updatedAt }: StatusNow, fenced: boolean): CancelResult {
  if (!isEnded(status)) throw new InvariantViolation(`a decided transfer is still ${status}`);
  return { kind: 'ended', status, reason, updatedAt, fenced };
}

/**
 * The steps that follow on decisions (commit and release) on the source's shard, in one transaction.
 * @throws StoreError
 */
export function followDecisions(
  store: ShardStore,
  decided: readonly Envelope[],
  actor: string,
): Promise<readonly StepResult[]> {
  // Nothing is held by a step that ends a hold: the time-out is never looked at.
  return applySteps(store, decided, { holdTimeoutMs: 0, actor });
}

/** Ports for a caller that has both shards at hand and no queue in front of them. */
export function cancelPortsOver(shards: {
  readonly storeOf: (slot: number) => ShardStore;
  readonly eventsOf: CancelPorts['events'];
  /** Who stands in the event that ends the transfer. */
  readonly actor: string;
}): CancelPorts {
  const { storeOf, eventsOf, actor } = shards;
  return {
    events: eventsOf,
    void: async (request) => {
      const results = await voidTransfers(storeOf(request.cause.destinationSlot), [request]);
      return results[0] as VoidResult;
    },
    follow: async (decided) => {
      const results = await followDecisions(storeOf(decided.sourceSlot), [decided], actor);
      return results[0] as StepResult;
    },
  };
}
