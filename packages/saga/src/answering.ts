import type { AccountSnapshot, Envelope } from '@surety/contracts';
import { InvariantViolation } from '@surety/domain';
import type { Account, Decision, Transfer, TransferEvent } from '@surety/domain';
import type { DecisionRow, TransferRow } from './ports.js';

export function snapshotOf(account: Account): AccountSnapshot {
  return {
    id: account.id,
    balance: account.balance.toString(),
    held: account.held.toString(),
    version: account.version.toString(),
  };
}

/** The union that the rules work on, from the row that storage works on. */
export function transferOf(row: TransferRow): Transfer {
  const terms = {
    id: row.id,
    source: row.source,
    destination: row.destination,
    amount: { minor: row.amountMinor, currency: row.currency },
  };
  if (row.state === 'rejected' || row.state === 'cancelled') {
    if (!row.reason) throw new InvariantViolation(`transfer ${row.id} ended without a reason`);
    return { status: row.state, terms, reason: row.reason };
  }
  return { status: row.state, terms };
}

export interface Answer {
  readonly event: TransferEvent;
  readonly now: string;
  readonly actor: string;
  readonly account: Account | undefined;
}

/** The envelope of the event that answers another one: it carries on its terms and its trace. */
export function answering(cause: Envelope, { event, now, actor, account }: Answer): Envelope {
  const { kind, source, destination, amount, currency } = cause.data;
  const terms = { kind, source, destination, amount, currency };
  return {
    id: `${cause.transferId}/${event.step}`,
    type: event.type,
    schema: cause.schema,
    transferId: cause.transferId,
    step: event.step,
    sourceSlot: cause.sourceSlot,
    destinationSlot: cause.destinationSlot,
    requestedAt: cause.requestedAt,
    occurredAt: now,
    actor,
    causation: cause.id,
    traceparent: cause.traceparent,
    accounts: account ? [snapshotOf(account)] : [],
    data: 'reason' in event ? { ...terms, reason: event.reason } : terms,
  };
}

/** The decision row that an event of the destination's shard leaves behind. */
export function decisionRowOf(cause: Envelope, decision: Decision): DecisionRow {
  return {
    transferId: cause.transferId,
    slot: cause.destinationSlot,
    decision,
    source: cause.data.source,
    destination: cause.data.destination,
    amountMinor: BigInt(cause.data.amount),
    currency: cause.data.currency,
  };
}
