import { STEP, decisionOf, isSystemAccountId, slotOfAccount } from '@surety/domain';
import type {
  Decision,
  Reason,
  Step,
  TransferEvent,
  TransferEventType,
  TransferKind,
  TransferTerms,
} from '@surety/domain';
import { shapeFaultOf } from './envelope-check.js';
import { SHORT_FORM_SCHEMA, encodeShort, isIdOfEvent, openShort } from './short-form.js';
import type { Opened } from './short-form.js';

/**
 * Version that new transfers begin with. A reader that meets a newer one stops its partition.
 * Version 1 is the envelope itself as JSON; its rows and messages are still read, and a transfer
 * that began with it goes on with it, so that a reader of the release before can end it.
 */
export const ENVELOPE_SCHEMA = SHORT_FORM_SCHEMA;

/** RFC 3339 in UTC with microseconds, as the database's clock gave it: 2026-01-31T10:15:30.123456Z. */
export type Timestamp = string;

/** An account after the event's own change; sums are strings of minor units. */
export interface AccountSnapshot {
  readonly id: string;
  readonly balance: string;
  readonly held: string;
  readonly version: string;
}

export interface EnvelopeData {
  readonly kind: TransferKind;
  readonly source: string;
  readonly destination: string;
  /** Minor units. */
  readonly amount: string;
  readonly currency: string;
  readonly reason?: Reason;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** One event of a transfer. Its text lies in transfer_events and travels over Kafka: the same bytes. */
export interface Envelope {
  /** transferId/step: the same event always has the same id. */
  readonly id: string;
  readonly type: TransferEventType;
  /** Of the text that it was read from, or is to be written as. */
  readonly schema: number;
  readonly transferId: string;
  readonly step: Step;
  readonly sourceSlot: number;
  readonly destinationSlot: number;
  readonly requestedAt: Timestamp;
  readonly occurredAt: Timestamp;
  /** Who caused it: `client:<tenant>`, `saga`, `reconciler`, `operator:<name>`. */
  readonly actor: string;
  /** Id of the event that this one answers, or null for the first. */
  readonly causation: string | null;
  /** W3C Trace Context of the request that began the transfer, or null. */
  readonly traceparent: string | null;
  readonly accounts: readonly AccountSnapshot[];
  readonly data: EnvelopeData;
}

export type DecodedMessage =
  | { readonly kind: 'events'; readonly events: readonly Envelope[] }
  /** A newer release is about: stop the partition, wait, never dead-letter. */
  | { readonly kind: 'unknown_schema'; readonly schema: number }
  /** The message is broken for its own sake. */
  | { readonly kind: 'malformed'; readonly error: string };

/** One Kafka message carries the events of one database transaction: a JSON array of envelopes. */
export function encodeMessage(encodedEvents: readonly string[]): string {
  return `[${encodedEvents.join(',')}]`;
}

/** The text of an event, in the form that its own schema says. */
export function encodeEnvelope(envelope: Envelope): string {
  if (envelope.schema === SHORT_FORM_SCHEMA) return encodeShort(envelope);
  return JSON.stringify(envelope);
}

/**
 * The event behind a text of transfer_events: what this system wrote itself is not judged again.
 * @throws SyntaxError where it is no JSON; TypeError where a newer release wrote it, or it has not the
 * build of what its schema says
 */
export function readEnvelope(encoded: string): Envelope {
  const item = JSON.parse(encoded) as unknown;
  const schema = schemaOf(item);
  if (schema > ENVELOPE_SCHEMA) {
    throw new TypeError(`an event has schema ${schema}: a newer release wrote it`);
  }
  const opened = open(item);
  if ('fault' in opened) throw new TypeError(`an event cannot be read: ${opened.fault}`);
  return opened.envelope as Envelope;
}

/** Parses what came over Kafka. Unknown fields are kept: they belong to a newer writer. */
export function decodeMessage(value: string): DecodedMessage {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch (error) {
    return { kind: 'malformed', error: error instanceof Error ? error.message : String(error) };
  }
  if (!Array.isArray(parsed)) return { kind: 'malformed', error: 'not an array of events' };
  const items = parsed as readonly unknown[];
  // Before any fault is looked for: what a newer writer meant is not for this reader to judge.
  const schema = items.map(schemaOf).find((version) => version > ENVELOPE_SCHEMA);
  if (schema !== undefined) return { kind: 'unknown_schema', schema };
  const events: Envelope[] = [];
  for (const item of items) {
    const opened = open(item);
    const fault = 'fault' in opened ? opened.fault : faultOf(opened.envelope);
    if (fault !== undefined) return { kind: 'malformed', error: fault };
    events.push((opened as { readonly envelope: Envelope }).envelope);
  }
  return { kind: 'events', events };
}

/** Every form becomes the one envelope before anything is judged. */
function open(item: unknown): Opened {
  if (typeof item !== 'object' || item === null) return { fault: 'an event is not an object' };
  if (schemaOf(item) !== SHORT_FORM_SCHEMA) return { envelope: item };
  return openShort(item as Readonly<Record<string, unknown>>);
}

function faultOf(envelope: object): string | undefined {
  return shapeFaultOf(envelope) ?? inconsistency(envelope as Envelope);
}

/** The version an item claims; 0 where it claims none. */
function schemaOf(item: unknown): number {
  if (typeof item !== 'object' || item === null || !('schema' in item)) return 0;
  return typeof item.schema === 'number' ? item.schema : 0;
}

/** Steps at which an event of this type can lie, and whether it says why. */
const RULES: Readonly<Record<TransferEventType, { steps: readonly Step[]; hasReason: boolean }>> = {
  requested: { steps: [STEP.request], hasReason: false },
  held: { steps: [STEP.hold], hasReason: false },
  rejected: { steps: [STEP.hold, STEP.end], hasReason: true },
  credited: { steps: [STEP.decide], hasReason: false },
  refused: { steps: [STEP.decide], hasReason: true },
  voided: { steps: [STEP.decide], hasReason: true },
  committed: { steps: [STEP.end], hasReason: false },
  cancelled: { steps: [STEP.end], hasReason: true },
};

function inconsistency(envelope: Envelope): string | undefined {
  const { data, type, step } = envelope;
  const isIdRight = isIdOfEvent(envelope.id, envelope.transferId, String(step));
  if (!isIdRight) return 'id is not transferId/step';
  const rules = RULES[type];
  if (!rules.steps.includes(step)) return `${type} does not lie at step ${step}`;
  if (rules.hasReason && !data.reason) return `${type} gives no reason`;
  if (isElsewhere(data.source, envelope.sourceSlot)) {
    return 'sourceSlot is not the slot of the source account';
  }
  if (isElsewhere(data.destination, envelope.destinationSlot)) {
    return 'destinationSlot is not the slot of the destination account';
  }
  return undefined;
}

/** A system account's slot is part of its name and says nothing about where a customer is. */
function isElsewhere(account: string, claimedSlot: number): boolean {
  return !isSystemAccountId(account) && slotOfAccount(account) !== claimedSlot;
}

export function termsOf(envelope: Envelope): TransferTerms {
  return {
    id: envelope.transferId,
    source: envelope.data.source,
    destination: envelope.data.destination,
    amount: { minor: BigInt(envelope.data.amount), currency: envelope.data.currency },
  };
}

/** The destination's decision that an envelope carries, if it carries one. */
export function decisionOfEnvelope(envelope: Envelope): Decision | undefined {
  const event = {
    type: envelope.type,
    step: envelope.step,
    reason: envelope.data.reason,
  } as TransferEvent;
  return decisionOf(event);
}
