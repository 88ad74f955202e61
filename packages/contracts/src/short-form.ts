import { STEP } from '@surety/domain';
import type { AccountSnapshot, Envelope, EnvelopeData, Timestamp } from './envelope.js';
import { jsonText } from './json-text.js';

/** The version whose envelopes have the short form. Older ones are the envelope itself as JSON. */
export const SHORT_FORM_SCHEMA = 2;

/** What the text of an envelope says, or why it says nothing. */
export type Opened = { readonly envelope: object } | { readonly fault: string };

type Members = Readonly<Record<string, unknown>>;

/** Members of the short form, those that are always there first. */
const REQUIRED = ['schema', 'type', 'id', 'step', 'slots', 'at', 'by', 'terms'] as const;
const OPTIONAL = [
  ...(['requested', 'cause', 'trace', 'accounts'] as const),
  ...(['reason', 'description', 'metadata', 'data'] as const),
];
const SHORT_NAMES: ReadonlySet<string> = new Set<string>([...REQUIRED, ...OPTIONAL]);

const ENVELOPE_NAMES: ReadonlySet<string> = new Set<keyof Envelope>([
  ...(['id', 'type', 'schema', 'transferId', 'step', 'sourceSlot', 'destinationSlot'] as const),
  ...(['requestedAt', 'occurredAt', 'actor', 'causation', 'traceparent'] as const),
  ...(['accounts', 'data'] as const),
]);
const TERMS_COUNT = 5;
const DATA_NAMES: ReadonlySet<string> = new Set<keyof EnvelopeData>([
  ...(['kind', 'source', 'destination', 'amount', 'currency'] as const),
  ...(['reason', 'description', 'metadata'] as const),
]);
const ACCOUNT_NAMES: ReadonlySet<string> = new Set<keyof AccountSnapshot>([
  ...(['id', 'balance', 'held', 'version'] as const),
]);

/** Begins the name of an unknown member that the short form uses for something else. */
const ESCAPE = '~';

const STEPS: readonly unknown[] = Object.values(STEP);
const STEP_TEXTS: ReadonlySet<string> = new Set(Object.values(STEP).map(String));

/** Members that are known come in one order, unknown ones after them: same envelope, same bytes. */
export function encodeShort(envelope: Envelope): string {
  const { type, transferId, step, sourceSlot, destinationSlot, occurredAt, data } = envelope;
  const { kind, source, destination, amount, currency } = data;
  return (
    `{"schema":${SHORT_FORM_SCHEMA},"type":"${type}","id":"${transferId}","step":${step},` +
    `"slots":[${sourceSlot},${destinationSlot}],"at":"${occurredAt}","by":${jsonText(envelope.actor)},` +
    `"terms":["${kind}",${jsonText(source)},${jsonText(destination)},"${amount}",${jsonText(currency)}]` +
    `${circumstances(envelope)}${furtherData(data)}${unknownMembers(envelope)}}`
  );
}

/** What is left out where it says nothing of its own. */
function circumstances(envelope: Envelope): string {
  const { requestedAt, occurredAt, causation, traceparent, accounts } = envelope;
  let text = '';
  if (requestedAt !== occurredAt) text = `,"requested":"${whatDiffers(requestedAt, occurredAt)}"`;
  if (causation !== null) text += `,"cause":${causeText(causation, envelope.transferId)}`;
  if (traceparent !== null) text += `,"trace":${jsonText(traceparent)}`;
  if (accounts.length > 0) text += `,"accounts":[${accounts.map(accountText).join(',')}]`;
  return text;
}

/** The shortest time: a text below it is the end of one. */
const TIMESTAMP_LENGTH_MIN = '2026-01-31T10:15:30Z'.length;

/** A transfer takes moments: of the time of its request the last digits say all. */
function whatDiffers(requested: Timestamp, at: Timestamp): string {
  if (requested.length !== at.length) return requested;
  let same = 0;
  while (requested.charCodeAt(same) === at.charCodeAt(same)) same += 1;
  const end = requested.slice(same);
  return end.length < TIMESTAMP_LENGTH_MIN ? end : requested;
}

function requestedOf({ at, requested }: Members): unknown {
  if (requested === undefined) return at;
  if (typeof requested !== 'string' || typeof at !== 'string') return requested;
  if (requested.length >= TIMESTAMP_LENGTH_MIN) return requested;
  return at.slice(0, -requested.length) + requested;
}

/** Nearly always an event of the same transfer: then its step says all. */
function causeText(causation: string, transferId: string): string {
  const step = causation.slice(-2);
  const isOwn = STEP_TEXTS.has(step) && isIdOfEvent(causation, transferId, step);
  return isOwn ? step : jsonText(causation);
}

/** Whether it is transferId/step, found out without a text to compare it with: every event is asked. */
export function isIdOfEvent(id: string, transferId: string, step: string): boolean {
  const { length } = transferId;
  return (
    id.length === length + 1 + step.length &&
    id[length] === '/' &&
    id.startsWith(transferId) &&
    id.endsWith(step)
  );
}

function accountText(account: AccountSnapshot): string {
  const { id, balance, held, version } = account;
  const known = `[${jsonText(id)},"${balance}","${held}","${version}"`;
  if (Object.keys(account).length === ACCOUNT_NAMES.size) return `${known}]`;
  return `${known},${JSON.stringify(without(account, ACCOUNT_NAMES))}]`;
}

function furtherData(data: EnvelopeData): string {
  const count = Object.keys(data).length;
  if (count === TERMS_COUNT) return '';
  const { reason, description, metadata } = data;
  const texts = [
    reason === undefined ? '' : `,"reason":"${reason}"`,
    description === undefined ? '' : `,"description":${JSON.stringify(description)}`,
    metadata === undefined ? '' : `,"metadata":${JSON.stringify(metadata)}`,
  ].filter((text) => text !== '');
  const text = texts.join('');
  if (count === TERMS_COUNT + texts.length) return text;
  const unknown = JSON.stringify(without(data, DATA_NAMES));
  return unknown === '{}' ? text : `${text},"data":${unknown}`;
}

function unknownMembers(envelope: Envelope): string {
  if (Object.keys(envelope).length === ENVELOPE_NAMES.size) return '';
  const members = Object.entries(without(envelope, ENVELOPE_NAMES)).map(
    ([name, value]): [string, unknown] => [escaped(name), value],
  );
  const text = JSON.stringify(Object.fromEntries(members));
  return text === '{}' ? '' : `,${text.slice(1, -1)}`;
}

function escaped(name: string): string {
  return SHORT_NAMES.has(name) || name.startsWith(ESCAPE) ? `${ESCAPE}${name}` : name;
}

/** Never by assignment: a member may be called `__proto__`. */
function without(object: object, known: ReadonlySet<string>): Members {
  return Object.fromEntries(Object.entries(object as Members).filter(([name]) => !known.has(name)));
}

/**
 * The envelope behind a parsed short form. Only its build is judged here; what the members say is
 * for the reader of envelopes, who asks the same of every form. Whatever comes in, nothing is thrown.
 */
export function openShort(item: Members): Opened {
  const more = unknownOf(item);
  const fault = faultOfBuild(item, more);
  if (fault !== undefined) return { fault };
  // As the build says.
  const slots = item['slots'] as readonly unknown[];
  const accounts = (item['accounts'] ?? []) as readonly (readonly unknown[])[];
  const { id, step, at } = item;
  const envelope = {
    id: typeof id === 'string' && typeof step === 'number' ? `${id}/${step}` : undefined,
    type: item['type'],
    schema: item['schema'],
    transferId: id,
    step,
    sourceSlot: slots[0],
    destinationSlot: slots[1],
    requestedAt: requestedOf(item),
    occurredAt: at,
    actor: item['by'],
    causation: causeOf(item),
    traceparent: item['trace'] ?? null,
    accounts: accounts.map(accountOf),
    data: dataOf(item),
  };
  return { envelope: more === NOTHING ? envelope : { ...envelope, ...more } };
}

function faultOfBuild(item: Members, more: Members): string | undefined {
  const { slots, terms, accounts, data } = item;
  if (!isListOf(2, slots)) return 'slots is not a list of two';
  if (!isListOf(TERMS_COUNT, terms)) return 'terms is not a list of five';
  if (accounts !== undefined && !isListOfAccounts(accounts)) {
    return 'accounts is not a list of lists of id, balance, held and version';
  }
  if (data !== undefined && !isMembers(data)) return 'data is not an object';
  if (data && claims(data, DATA_NAMES)) return 'data says again what the terms say';
  return claims(more, ENVELOPE_NAMES) ? 'a member has a name of another form' : undefined;
}

const NOTHING: Members = {};

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf(length: number, value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length === length;
}

function isListOfAccounts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isAccount);
}

function isAccount(value: unknown): boolean {
  if (isListOf(ACCOUNT_NAMES.size, value)) return true;
  if (!isListOf(ACCOUNT_NAMES.size + 1, value)) return false;
  const more = value.at(-1);
  return isMembers(more) && !claims(more, ACCOUNT_NAMES);
}

/** An unknown member never stands in for a known one, whoever wrote it there. */
function claims(members: Members, names: ReadonlySet<string>): boolean {
  return members !== NOTHING && Object.keys(members).some((name) => names.has(name));
}

function unknownOf(item: Members): Members {
  let known = REQUIRED.length;
  for (const name of OPTIONAL) if (item[name] !== undefined) known += 1;
  if (Object.keys(item).length === known) return NOTHING;
  const unknown = Object.entries(item).filter(([name]) => !SHORT_NAMES.has(name));
  return Object.fromEntries(
    unknown.map(([name, value]) => [name.startsWith(ESCAPE) ? name.slice(1) : name, value]),
  );
}

function causeOf({ id, cause }: Members): unknown {
  if (typeof id === 'string' && typeof cause === 'number' && STEPS.includes(cause)) {
    return `${id}/${cause}`;
  }
  return cause ?? null;
}

function accountOf(list: readonly unknown[]): object {
  const [id, balance, held, version, more] = list;
  const account = { id, balance, held, version };
  return more === undefined ? account : { ...account, ...(more as Members) };
}

function dataOf(item: Members): object {
  const [kind, source, destination, amount, currency] = item['terms'] as readonly unknown[];
  const data: Record<string, unknown> = { kind, source, destination, amount, currency };
  if (item['reason'] !== undefined) data['reason'] = item['reason'];
  if (item['description'] !== undefined) data['description'] = item['description'];
  if (item['metadata'] !== undefined) data['metadata'] = item['metadata'];
  return item['data'] === undefined ? data : { ...data, ...item['data'] };
}
