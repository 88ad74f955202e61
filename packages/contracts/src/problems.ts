import type { EndStatus, Reason } from '@surety/domain';

/**
 * Every problem a client can meet, in one place. docs/problems.md lists the same codes; a spec holds
 * the two equal in both directions. A code never changes its meaning or its status.
 */
interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** What the client can do about it, for the documentation and as the default detail. */
  readonly detail: string;
  /** Whether the same request may succeed later: the answer carries Retry-After. */
  readonly retryAfterSeconds?: number;
}

export const PROBLEMS = {
  'malformed-request': {
    status: 400,
    title: 'The request is not one of HTTP/1.1',
    detail: 'The request cannot be read (RFC 9112). The connection ends.',
  },
  'malformed-json': {
    status: 400,
    title: 'The body is not JSON',
    detail: 'The body must be one JSON object (RFC 8259) in UTF-8.',
  },
  'invalid-request': {
    status: 400,
    title: 'The request has wrong fields',
    detail: 'Every wrong field is named in errors. Nothing was written.',
  },
  'idempotency-key-missing': {
    status: 400,
    title: 'An idempotency key is required',
    detail: 'Send the header Idempotency-Key, so that a repeated request moves money once.',
  },
  'idempotency-key-invalid': {
    status: 400,
    title: 'The idempotency key is malformed',
    detail: 'A key is 1 to 255 printable ASCII characters without spaces.',
  },
  'idempotency-key-ambiguous': {
    status: 400,
    title: 'The request carries different idempotency keys',
    detail: 'Headers, or header and body, name different keys. Send one key.',
  },
  'route-not-found': {
    status: 404,
    title: 'There is nothing at this address',
    detail: 'No resource of the API has this path.',
  },
  'transfer-not-found': {
    status: 404,
    title: 'There is no such transfer',
    detail: 'The id is malformed, or no transfer has it.',
  },
  'account-not-found': {
    status: 404,
    title: 'There is no such account',
    detail: 'The id is malformed, or no account has it.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The resource does not know this method',
    detail: 'The header Allow lists the methods that it knows.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not come in time',
    detail: 'The request was not complete in time. The connection ends.',
  },
  'account-conflict': {
    status: 409,
    title: 'The account exists with other attributes',
    detail: 'An account of this id exists and differs in currency, type, owner or overdraft limit.',
  },
  'transfer-not-cancellable': {
    status: 409,
    title: 'The transfer has ended otherwise',
    detail: 'It was committed or rejected before it could be cancelled; state and reason tell.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    detail: 'A body may have 65,536 bytes, that of a batch 1,048,576.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is not application/json',
    detail: 'Send Content-Type: application/json in UTF-8, without a content encoding.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key was used for something else',
    detail: 'A key belongs to the first request that used it. Use a new key for a new request.',
  },
  'insufficient-funds': {
    status: 422,
    title: 'Available money is below the amount',
    detail: 'Available money is balance - held + overdraft limit. Nothing was written.',
  },
  'account-unusable': {
    status: 422,
    title: 'The account does not take this movement',
    detail: 'The account is frozen, closed or blocked in this direction. Nothing was written.',
  },
  'currency-mismatch': {
    status: 422,
    title: 'The account is kept in another currency',
    detail: 'The currency must be that of the account. Nothing was written.',
  },
  'limit-exceeded': {
    status: 422,
    title: 'A sum would pass its technical bound',
    detail: 'Balances and held totals are bounded to 2^62 minor units. Nothing was written.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    detail: 'Address and headers may have 16,384 bytes together. The connection ends.',
  },
  'internal-error': {
    status: 500,
    title: 'Something went wrong inside',
    detail: 'The fault was recorded. Repeating the request with the same key is safe.',
  },
  overloaded: {
    status: 503,
    title: 'More is offered than can be taken',
    detail: 'The queue of this shard is full. Nothing was written; repeat with the same key.',
    retryAfterSeconds: 1,
  },
  'shard-unavailable': {
    status: 503,
    title: 'The data of this account or transfer is out of reach',
    detail: 'Its shard does not answer. Repeat with the same key: it cannot take effect twice.',
    retryAfterSeconds: 2,
  },
  stopping: {
    status: 503,
    title: 'This process is stopping',
    detail: 'Repeat the request with the same key; another process takes it.',
    retryAfterSeconds: 1,
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What can be wrong with one field. */
export const FIELD_FAULTS = {
  required: 'The field is required.',
  wrong_type: 'The field has the wrong type.',
  unknown_field: 'The field is not known.',
  duplicate_member: 'The object has a member of this name already.',
  unknown_value: 'The value is not one of the known ones.',
  malformed_identifier:
    'An identifier is 1 to 64 characters of A-Z a-z 0-9 . _ : and -; that of an account not . or ..',
  too_long: 'The value is longer than allowed.',
  too_few: 'The list is empty; at least one member is needed.',
  too_many: 'The list has more members than allowed.',
  too_deep: 'The value is nested deeper than allowed.',
  not_unicode: 'The text has half a surrogate pair in it, which is no character of Unicode.',
  not_a_number: 'An amount is a plain decimal number such as "12.34".',
  exponent_form: 'An amount is written without an exponent.',
  too_many_decimals: 'The amount has more decimals than its currency.',
  too_large: 'The amount passes its bound: 10^15 minor units, an overdraft limit 2^62.',
  inexact_number: 'A JSON number of this size is not exact; send a string.',
  not_positive: 'The amount must be greater than zero.',
  negative: 'The amount must not be below zero.',
  unknown_currency: 'The currency is not known.',
  same_account: 'Source and destination must be different accounts.',
  unknown_parameter: 'The query parameter is not known.',
  duplicate_parameter: 'The query parameter comes twice.',
  not_an_integer: 'The value is not a whole number without leading zeros.',
  malformed_cursor: 'The cursor is not one that an earlier answer for this account gave.',
  malformed_duration: 'A duration is a whole number without leading zeros, followed by ms, s or m.',
  out_of_range: 'The value is outside its range.',
} as const;

export type FieldFault = keyof typeof FIELD_FAULTS;

/** What a field takes, in the field's own form: its values, or the ends of its range. */
export interface FieldRange {
  readonly allowed?: readonly string[];
  readonly min?: number | string;
  readonly max?: number | string;
}

export interface FieldError extends FieldRange {
  /** JSON pointer (RFC 6901) into the body, or `?name` for a query parameter. */
  readonly pointer: string;
  readonly code: FieldFault;
  readonly message: string;
}

/** A problem document (RFC 9457). */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Of `transfer-not-cancellable`: the end state that won, and why where it has a reason. */
  readonly state?: EndStatus;
  readonly reason?: Reason;
}

/** What a document says beyond its code. */
export interface ProblemFields {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly state?: EndStatus;
  readonly reason?: Reason;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** A range, and what its ends count: for the message alone. */
export type DescribedRange = FieldRange & { readonly unit?: string };

export function fieldError(
  pointer: string,
  code: FieldFault,
  { unit, ...range }: DescribedRange = {},
): FieldError {
  return { pointer, code, message: FIELD_FAULTS[code] + hintOf(range, unit), ...range };
}

function hintOf({ allowed, min, max }: FieldRange, unit: string | undefined): string {
  if (allowed) return ` Known: ${allowed.join(', ')}.`;
  if (max === undefined) return '';
  const of = unit === undefined ? '' : ` ${unit}`;
  return min === undefined ? ` At most ${max}${of}.` : ` From ${min} to ${max}${of}.`;
}

export function problemDocument(code: ProblemCode, fields: ProblemFields = {}): ProblemDocument {
  const { status, title, detail } = PROBLEMS[code];
  const { errors, state, reason } = fields;
  return {
    type: `urn:surety:problem:${code}`,
    title,
    status,
    code,
    detail: fields.detail ?? detail,
    ...(errors && errors.length > 0 ? { errors } : {}),
    ...(state === undefined ? {} : { state }),
    ...(reason === undefined ? {} : { reason }),
  };
}

export function retryAfterSecondsOf(code: ProblemCode): number | undefined {
  const kind: ProblemKind = PROBLEMS[code];
  return kind.retryAfterSeconds;
}
