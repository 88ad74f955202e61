import { SLOT_COUNT, STEP, isReason, isTransferableAmount, parseTransferId } from '@surety/domain';
import type { TransferEventType, TransferKind } from '@surety/domain';
import type { AccountSnapshot, Envelope, EnvelopeData } from './envelope.js';
import { SHORT_FORM_SCHEMA } from './short-form.js';

/**
 * A plain table and not a schema of zod: each event is judged by every process that reads it, and this
 * takes less than half of the time (record 0045). What is unknown is left alone: it is a newer
 * writer's.
 */
interface Member<Name extends string> {
  readonly name: Name;
  /** What it must be: the words of the fault. */
  readonly kind: string;
  readonly isRight: (value: unknown) => boolean;
}

const TYPES: ReadonlySet<unknown> = new Set<TransferEventType>([
  ...(['requested', 'held', 'rejected', 'credited'] as const),
  ...(['refused', 'voided', 'committed', 'cancelled'] as const),
]);
const KINDS: ReadonlySet<unknown> = new Set<TransferKind>([
  ...(['transfer', 'funding', 'fee', 'reversal', 'adjustment'] as const),
]);
const STEPS: ReadonlySet<unknown> = new Set(Object.values(STEP));
const MINOR_TEXT = /^-?[0-9]{1,19}$/;
const AMOUNT_TEXT = /^[1-9][0-9]{0,15}$/;
/** As far as Date.parse would judge it, and at a sixth of its cost; RFC 3339 has no hour 24. */
const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/;

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

/** 1 is the plain form. */
function isKnownSchema(value: unknown): boolean {
  return value === 1 || value === SHORT_FORM_SCHEMA;
}

function isSlot(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < SLOT_COUNT;
}

function isTimestamp(value: unknown): boolean {
  return isText(value) && TIMESTAMP.test(value);
}

function isMinorText(value: unknown): boolean {
  return isText(value) && MINOR_TEXT.test(value);
}

/** Positive, without leading zeros: an amount of zero or less would turn a debit around. */
function isAmountText(value: unknown): boolean {
  return isText(value) && AMOUNT_TEXT.test(value) && isTransferableAmount(BigInt(value));
}

function isReasonOrAbsent(value: unknown): boolean {
  return value === undefined || (isText(value) && isReason(value));
}

const MEMBERS: readonly Member<keyof Envelope>[] = [
  { name: 'id', kind: 'text', isRight: isText },
  { name: 'type', kind: 'a type of event', isRight: (value) => TYPES.has(value) },
  { name: 'schema', kind: 'a known schema', isRight: isKnownSchema },
  {
    name: 'transferId',
    kind: 'the id of a transfer',
    isRight: (value) => isText(value) && parseTransferId(value) === value,
  },
  { name: 'step', kind: 'a step', isRight: (value) => STEPS.has(value) },
  { name: 'sourceSlot', kind: 'a slot', isRight: isSlot },
  { name: 'destinationSlot', kind: 'a slot', isRight: isSlot },
  { name: 'requestedAt', kind: 'a time in UTC', isRight: isTimestamp },
  { name: 'occurredAt', kind: 'a time in UTC', isRight: isTimestamp },
  { name: 'actor', kind: 'text', isRight: isText },
  { name: 'causation', kind: 'text or null', isRight: isTextOrNull },
  { name: 'traceparent', kind: 'text or null', isRight: isTextOrNull },
];

const DATA_MEMBERS: readonly Member<keyof EnvelopeData>[] = [
  { name: 'kind', kind: 'a kind of transfer', isRight: (value) => KINDS.has(value) },
  { name: 'source', kind: 'text', isRight: isText },
  { name: 'destination', kind: 'text', isRight: isText },
  { name: 'amount', kind: 'an amount in minor units', isRight: isAmountText },
  { name: 'currency', kind: 'text', isRight: isText },
  { name: 'reason', kind: 'a known reason', isRight: isReasonOrAbsent },
];

const ACCOUNT_MEMBERS: readonly Member<keyof AccountSnapshot>[] = [
  { name: 'id', kind: 'text', isRight: isText },
  { name: 'balance', kind: 'a sum in minor units', isRight: isMinorText },
  { name: 'held', kind: 'a sum in minor units', isRight: isMinorText },
  { name: 'version', kind: 'a number as text', isRight: isMinorText },
];

/** Everything that is not as an envelope must be, in words; undefined where all is. */
export function shapeFaultOf(envelope: object): string | undefined {
  const { accounts, data } = envelope as { readonly accounts?: unknown; readonly data?: unknown };
  if (isSound(envelope, MEMBERS) && isSound(data, DATA_MEMBERS) && areSoundAccounts(accounts)) {
    return undefined;
  }
  return [
    ...faultsOf(envelope, MEMBERS, ''),
    ...(Array.isArray(accounts)
      ? accounts.flatMap((account, at) => faultsOf(account, ACCOUNT_MEMBERS, `accounts[${at}]`))
      : ['accounts is not a list']),
    ...faultsOf(data, DATA_MEMBERS, 'data'),
  ].join('; ');
}

function areSoundAccounts(accounts: unknown): boolean {
  return Array.isArray(accounts) && accounts.every((account) => isSound(account, ACCOUNT_MEMBERS));
}

function isSound<Name extends string>(part: unknown, members: readonly Member<Name>[]): boolean {
  if (typeof part !== 'object' || part === null) return false;
  const values = part as Readonly<Record<Name, unknown>>;
  for (const { name, isRight } of members) if (!isRight(values[name])) return false;
  return true;
}

function faultsOf<Name extends string>(
  part: unknown,
  members: readonly Member<Name>[],
  path: string,
): string[] {
  if (typeof part !== 'object' || part === null) return [`${path} is not an object`];
  const values = part as Readonly<Record<Name, unknown>>;
  const wrong = members.filter(({ name, isRight }) => !isRight(values[name]));
  return wrong.map(({ name, kind }) => `${path === '' ? '' : `${path}.`}${name} is not ${kind}`);
}
