import { hash } from 'node:crypto';
import { jsonText } from '@surety/contracts';

/** Raised when the canonical form changes: old and new fingerprints then never compare equal. */
const FINGERPRINT_VERSION = '01';

/**
 * JSON with sorted keys and without the fields that are undefined: equal values, equal text. Written
 * piece by piece, because lists of pieces cost more than the text: it is made for every request.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return jsonText(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  let text = '';
  for (const name of sortedNames(value)) {
    const field = (value as Readonly<Record<string, unknown>>)[name];
    if (field === undefined) continue;
    text += `${text === '' ? '' : ','}${jsonText(name)}:${canonicalJson(field)}`;
  }
  return `{${text}}`;
}

/** A list that is sorted already is not sorted again, which makes ten times as much garbage. */
function sortedNames(value: object): readonly string[] {
  const names = Object.keys(value);
  const isSorted = names.every((name, at) => at === 0 || (names[at - 1] as string) < name);
  return isSorted ? names : names.sort();
}

/** The same amount in one spelling: "12.50", "12.5" and 12.5 are one request. */
export function normalisedDecimal(amount: string | number): string {
  const text = String(amount);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export interface Operation {
  /** The name of what is asked, the same under every path that leads to it. */
  readonly name: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  /** The validated request as sent: defaults are not filled in, the key itself is not part of it. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** Version byte and SHA-256 of the canonical operation: 66 lower-case hex digits. */
export function fingerprintOf({ name, pathParameters, request }: Operation): string {
  return FINGERPRINT_VERSION + hash('sha256', canonicalJson([name, pathParameters, request]));
}

const LENGTH_BYTES = 4;

/** SHA-256 over length-prefixed parts, so that no two lists of parts give the same bytes. */
export function hashOfParts(...parts: readonly string[]): string {
  let total = 0;
  for (const part of parts) total += LENGTH_BYTES + Buffer.byteLength(part, 'utf8');
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const part of parts) {
    const length = bytes.write(part, at + LENGTH_BYTES, 'utf8');
    at = bytes.writeUInt32BE(length, at) + length;
  }
  return hash('sha256', bytes);
}

/** What is stored in place of an idempotency key: 64 lower-case hex digits. */
export function keyHashOf(tenant: string, key: string): string {
  return hashOfParts(tenant, key);
}
