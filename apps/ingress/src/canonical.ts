import { createHash } from 'node:crypto';

/** Raised when the canonical form changes: old and new fingerprints then never compare equal. */
const FINGERPRINT_VERSION = '01';

/** JSON with sorted keys and without the fields that are undefined: equal values, equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
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
  const digest = createHash('sha256').update(canonicalJson([name, pathParameters, request]));
  return FINGERPRINT_VERSION + digest.digest('hex');
}

/** SHA-256 over length-prefixed parts, so that no two lists of parts give the same bytes. */
export function hashOfParts(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}

/** What is stored in place of an idempotency key: 64 lower-case hex digits. */
export function keyHashOf(tenant: string, key: string): string {
  return hashOfParts(tenant, key);
}
