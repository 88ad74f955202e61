import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { findTransfer, readDecision, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import { slotOfAccount, slotOfTransferId } from '@surety/domain';
import type { EndStatus, TransferId } from '@surety/domain';
import { applySteps, cancelTransfer, voidTransfers } from '@surety/saga';
import type {
  AuditNote,
  CancelPorts,
  CancelResult,
  DecisionRow,
  EventRow,
  StepResult,
  TransferRow,
  VoidResult,
} from '@surety/saga';
import { END_OF } from '../sweeps/settle.js';
import { OPERATOR, beginChange } from './change.js';
import type { Change, ChangeOptions } from './change.js';
import type { CliHost } from './host.js';
import { CliError, EXIT } from './output.js';
import { withShards } from './session.js';
import type { Session } from './session.js';
import { transferIdOf } from './transfer-id.js';

/** A transfer as its two shards have it, before an operator does anything about it. */
export interface Standing {
  readonly transfer: TransferRow;
  readonly source: Shard;
  readonly destination: Shard;
  /** What the destination has decided; looked for only while the transfer is open. */
  readonly decision: DecisionRow | undefined;
}

/** Where the transfer goes by the decision that stands; undefined where none does. */
export function endByDecision({ decision }: Standing): EndStatus | undefined {
  return decision && END_OF[decision.decision.outcome];
}

/** @throws CliError where there is no such transfer; StoreError where a shard cannot be asked. */
async function standingOf(session: Session, id: TransferId): Promise<Standing> {
  const source = session.shardOf(slotOfTransferId(id));
  const transfer = await findTransfer(source, id);
  if (!transfer) throw new CliError(`there is no transfer ${id}`, EXIT.found);
  const isFunding = transfer.kind === 'funding';
  const destination = isFunding ? source : session.shardOf(slotOfAccount(transfer.destination));
  const isOpen = transfer.state === 'requested' || transfer.state === 'held';
  const decision = isOpen ? await readDecision(destination, id) : undefined;
  return { transfer, source, destination, decision };
}

/** A command that changes one transfer, at work. */
export interface Driving {
  readonly session: Session;
  readonly standing: Standing;
  readonly change: Change;
}

/**
 * Runs a command on the transfer as it stands, once it is known who changes it and why.
 * @param named its text is the id as the operator wrote it
 * @throws ConfigurationError, CliError or StoreError where the command could not run.
 */
export async function withTransfer<T>(
  host: CliHost,
  named: { readonly text: string; readonly options: ChangeOptions },
  command: (driving: Driving) => Promise<T>,
): Promise<T> {
  const id = transferIdOf(named.text);
  const change = await beginChange(host, named.options);
  return withShards(host, async (session) =>
    command({ session, standing: await standingOf(session, id), change }),
  );
}

/** @throws CliError where the shard does not have the event. */
export async function storedEvent(shard: Shard, id: TransferId, step: number): Promise<EventRow> {
  const event = (await readTimeline(shard, id)).find((row) => row.step === step);
  if (event) return event;
  throw new CliError(
    `shard ${shard.id} has no event ${id}/${step}: nothing was changed, see surety check`,
    EXIT.found,
  );
}

export function envelopeOf(event: EventRow): Envelope {
  return readEnvelope(event.envelope);
}

/** What a step that an operator asks for leaves in audit_log. */
export function noteOf({ reason }: Change): AuditNote {
  return { via: OPERATOR, reason };
}

/** The steps that follow on decisions, at the source, in the operator's name. */
export async function follow(
  session: Session,
  decided: Envelope,
  change: Change,
): Promise<StepResult> {
  const { store } = session.shardOf(decided.sourceSlot);
  // Nothing is held by a step that ends a hold: the time-out is never looked at.
  const options = { holdTimeoutMs: 0, actor: change.actor, audit: noteOf(change) };
  const results = await applySteps(store, [decided], options);
  return results[0] as StepResult;
}

/**
 * Fences the transfer at its destination and follows whatever stands there. Each step that takes
 * effect is audited in its own transaction.
 */
export function cancelNow(
  session: Session,
  transferId: TransferId,
  change: Change,
): Promise<CancelResult> {
  const ports: CancelPorts = {
    events: (slot, id) => readTimeline(session.shardOf(slot), id),
    void: async (request) => {
      const { store } = session.shardOf(request.cause.destinationSlot);
      const results = await voidTransfers(store, [{ ...request, audit: noteOf(change) }]);
      return results[0] as VoidResult;
    },
    follow: (decided) => follow(session, decided, change),
  };
  // Codes of reasons travel in events, where an unknown one would stop older readers. Who it was and
  // why stands in the event's actor and in audit_log.
  const reason = 'cancelled_by_client';
  return cancelTransfer(ports, { transferId, reason, actor: change.actor });
}
