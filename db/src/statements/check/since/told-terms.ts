import { SHORT_FORM_SCHEMA, readPlainTerms } from '@surety/contracts';
import { TERM_AT } from '../../rows/told-by-event.js';

const MEMBERS = ['amount', 'currency', 'source', 'destination'] as const;

/**
 * The terms that envelopes tell, as their readers parse them: amount, currency, source and destination
 * with spaces between, without those that it has not; null where it is no JSON. Parsed here because
 * the engines take 10 us an event for it, have bounds of nesting of their own, and do not agree on
 * which of two members of one name counts.
 *
 * The events of a transfer come one after the other and tell the same: it is put into words once.
 */
export class TermsReader {
  #terms: string | undefined;
  #told = '';

  read(text: string): string | null {
    const terms = readPlainTerms(text);
    if (terms === undefined) return parsedTerms(text);
    if (terms !== this.#terms) {
      this.#terms = terms;
      this.#told = inWords(terms);
    }
    return this.#told;
  }
}

/** None of the four strings has a quotation mark in it. */
function inWords(terms: string): string {
  const [source, destination, amount, currency] = terms.slice(1, -1).split('","');
  return `${amount} ${currency} ${source} ${destination}`;
}

function parsedTerms(text: string): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  const envelope = membersOf(parsed);
  const { terms } = envelope;
  const isShort = envelope['schema'] === SHORT_FORM_SCHEMA;
  const list: readonly unknown[] = Array.isArray(terms) ? terms : [];
  const data = membersOf(envelope['data']);
  return MEMBERS.flatMap((name) => {
    const member = isShort ? list[TERM_AT[name]] : data[name];
    return member === undefined ? [] : [textOf(member)];
  }).join(' ');
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

/** What is written without quotes is told too, unless it was rounded: then it is no sum at all. */
function textOf(member: unknown): string {
  if (typeof member === 'string') return member;
  const isRounded = typeof member === 'number' && !Number.isSafeInteger(member);
  return isRounded ? 'rounded' : JSON.stringify(member);
}
