import { ACCOUNT_ID, OWNER } from '@surety/domain';
import { z } from 'zod';
import type { DescribedRange, FieldFault } from './problems.js';

/** Bounds of what a client may send. */
export const DESCRIPTION_MAX = 255;
export const METADATA_BYTES_MAX = 4096;
/** Deeper values cost stack when they are compared and stored, and no client needs them. */
export const METADATA_DEPTH_MAX = 8;
export const BATCH_TRANSFERS_MAX = 1_000;

/** Each message is the code of the fault, so that one parse gives every field its precise code. */
function fault(code: FieldFault): { error: FieldFault } {
  return { error: code };
}

function typeFault(issue: { readonly input?: unknown }): FieldFault {
  return issue.input === undefined ? 'required' : 'wrong_type';
}

const text = z.string({ error: typeFault });
const accountId = text.regex(ACCOUNT_ID, fault('malformed_identifier'));
/** The form is judged by the domain, which needs the currency's decimals. */
const amount = z.custom<string | number>(
  (value) => typeof value === 'string' || typeof value === 'number',
  { error: typeFault },
);
/** With the flag u a pair is one character, and this is half of one. */
const HALF_A_PAIR = /\p{Surrogate}/u;
const description = text
  .max(DESCRIPTION_MAX, fault('too_long'))
  .refine((value) => !HALF_A_PAIR.test(value), fault('not_unicode'));

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  return Object.values(value).some((item) => isDeeperThan(item, depth - 1));
}

interface MetadataFault {
  readonly code: FieldFault;
  readonly path: readonly (string | number)[];
}

/**
 * What would not come back as it was sent: text that is none (RFC 8259, section 8.2), which a database
 * does not take for JSON, and numbers that a double does not hold (section 6).
 * @param value of bounded depth
 */
function* metadataFaults(
  value: unknown,
  path: readonly (string | number)[] = [],
): Generator<MetadataFault> {
  const code = leafFault(value);
  if (code) yield { code, path };
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(name) : name];
    if (HALF_A_PAIR.test(name)) yield { code: 'not_unicode', path: at };
    yield* metadataFaults(member, at);
  }
}

function leafFault(value: unknown): FieldFault | undefined {
  if (typeof value === 'string' && HALF_A_PAIR.test(value)) return 'not_unicode';
  if (typeof value === 'number' && !isExact(value)) return 'inexact_number';
  return undefined;
}

function isExact(value: number): boolean {
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
}

/** Like `fault`, for checks of our own: their parameters say what the field takes. */
function customIssue(
  code: FieldFault,
  range: DescribedRange,
): { code: 'custom'; message: FieldFault; params: DescribedRange } {
  return { code: 'custom', message: code, params: range };
}

const metadata = z
  .custom<Record<string, unknown>>(isPlainObject, { error: typeFault })
  .superRefine((value, context) => {
    if (!isPlainObject(value)) return;
    if (isDeeperThan(value, METADATA_DEPTH_MAX)) {
      context.addIssue(customIssue('too_deep', { max: METADATA_DEPTH_MAX, unit: 'levels' }));
    } else if (Buffer.byteLength(JSON.stringify(value)) > METADATA_BYTES_MAX) {
      context.addIssue(customIssue('too_long', { max: METADATA_BYTES_MAX, unit: 'bytes' }));
    } else {
      for (const { code, path } of metadataFaults(value)) {
        context.addIssue({ ...customIssue(code, {}), path: [...path] });
      }
    }
  });

/** Other places for the key than the header; judged together with the headers. */
const idempotencyKey = text.optional();

export const transferBody = z.strictObject({
  sourceAccount: accountId,
  destinationAccount: accountId,
  amount,
  currency: text.optional(),
  description: description.optional(),
  metadata: metadata.optional(),
  idempotencyKey,
});

/**
 * Each transfer is judged alone, with an answer of its own: the list is all that is parsed here.
 */
export const transferBatchBody = z.strictObject({
  transfers: z
    .array(z.unknown(), { error: typeFault })
    .min(1, fault('too_few'))
    .max(BATCH_TRANSFERS_MAX, fault('too_many')),
});

export const fundingBody = z.strictObject({
  amount,
  direction: z.enum(['deposit', 'withdrawal'], {
    error: (issue) => (issue.input === undefined ? 'required' : 'unknown_value'),
  }),
  currency: text.optional(),
  description: description.optional(),
  metadata: metadata.optional(),
  idempotencyKey,
});

export const accountBody = z.strictObject({
  accountId: accountId.optional(),
  currency: text,
  type: z.enum(['customer', 'merchant', 'fee'], fault('unknown_value')).optional(),
  owner: text.regex(OWNER, fault('malformed_identifier')).optional(),
  overdraftLimit: amount.optional(),
  metadata: metadata.optional(),
  idempotencyKey,
});

/** All that a cancel needs is in its path. */
export const cancelBody = z.strictObject({ idempotencyKey });

export type TransferBody = z.infer<typeof transferBody>;
export type FundingBody = z.infer<typeof fundingBody>;
export type AccountBody = z.infer<typeof accountBody>;
export type CancelBody = z.infer<typeof cancelBody>;
