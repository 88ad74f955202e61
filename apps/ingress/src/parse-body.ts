import {
  FIELD_FAULTS,
  accountBody,
  cancelBody,
  fieldError,
  fundingBody,
  transferBatchBody,
  transferBody,
} from '@surety/contracts';
import type {
  AccountBody,
  CancelBody,
  DescribedRange,
  FieldError,
  FieldFault,
  FundingBody,
  TransferBody,
} from '@surety/contracts';
import type { CurrencyTable } from '@surety/domain';
import type { z } from 'zod';
import { amountFault, overdraftLimitMinor } from './amounts.js';
import { pointerOf } from './json-pointer.js';
import { invalidRequest } from './problem.js';

type Fields = Readonly<Record<string, unknown>>;

/** @throws Problem invalid-request naming every wrong field */
export function parseTransferBody(body: unknown, currencies: CurrencyTable): TransferBody {
  return parse(transferBody, body, (fields, errors) => {
    const { sourceAccount, destinationAccount } = fields;
    if (typeof sourceAccount === 'string' && sourceAccount === destinationAccount) {
      errors.push(fieldError('/destinationAccount', 'same_account'));
    }
    checkCurrencyAndAmount(fields, currencies, errors);
  });
}

/** @throws Problem invalid-request where it is no list of 1 to BATCH_TRANSFERS_MAX members */
export function parseTransferBatch(body: unknown): readonly unknown[] {
  return parse(transferBatchBody, body, () => undefined).transfers;
}

/** @throws Problem invalid-request naming every wrong field */
export function parseFundingBody(body: unknown, currencies: CurrencyTable): FundingBody {
  return parse(fundingBody, body, (fields, errors) => {
    checkCurrencyAndAmount(fields, currencies, errors);
  });
}

/** @throws Problem invalid-request naming every wrong field */
export function parseCancelBody(body: unknown): CancelBody {
  return parse(cancelBody, body, () => undefined);
}

export interface CheckedAccountBody {
  readonly body: AccountBody;
  readonly overdraftLimitMinor: bigint;
}

/** @throws Problem invalid-request naming every wrong field */
export function parseAccountBody(body: unknown, currencies: CurrencyTable): CheckedAccountBody {
  let limitMinor = 0n;
  const parsed = parse(accountBody, body, (fields, errors) => {
    const currency = knownCurrency(fields, currencies, errors);
    const limit = fields['overdraftLimit'];
    if (currency && (typeof limit === 'string' || typeof limit === 'number')) {
      limitMinor = overdraftLimitMinor(limit, currency, errors);
    }
  });
  return { body: parsed, overdraftLimitMinor: limitMinor };
}

/** One pass for types and shape, one for meaning; the faults of both are told together. */
function parse<T>(
  schema: z.ZodType<T>,
  body: unknown,
  check: (fields: Fields, errors: FieldError[]) => void,
): T {
  const parsed = schema.safeParse(body);
  const errors = parsed.success ? [] : fieldErrorsOf(parsed.error);
  if (typeof body === 'object' && body !== null) check(body as Fields, errors);
  if (parsed.success && errors.length === 0) return parsed.data;
  throw invalidRequest(errors);
}

function knownCurrency(
  fields: Fields,
  currencies: CurrencyTable,
  errors: FieldError[],
): { code: string; exponent: number } | undefined {
  const code = fields['currency'];
  if (typeof code !== 'string') return undefined;
  const currency = currencies.get(code);
  if (!currency) errors.push(fieldError('/currency', 'unknown_currency'));
  return currency;
}

function checkCurrencyAndAmount(
  fields: Fields,
  currencies: CurrencyTable,
  errors: FieldError[],
): void {
  const currency = knownCurrency(fields, currencies, errors);
  const { amount } = fields;
  if (typeof amount !== 'string' && typeof amount !== 'number') return;
  const fault = amountFault(amount, currency);
  if (fault) errors.push(fieldError('/amount', fault));
}

function fieldErrorsOf(error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) => {
    const at = pointerOf(issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => fieldError(at + pointerOf([key]), 'unknown_field'));
    }
    const fault = isFault(issue.message) ? issue.message : 'wrong_type';
    return [fieldError(at, fault, rangeOf(issue))];
  });
}

/** What the schema knows of the values that it would have taken. */
function rangeOf(issue: z.core.$ZodIssue): DescribedRange {
  if (issue.code === 'invalid_value') return { allowed: issue.values.map(String) };
  if (issue.code === 'custom') return issue.params ?? {};
  if (issue.code !== 'too_big') return {};
  return { max: Number(issue.maximum), unit: issue.origin === 'array' ? 'members' : 'characters' };
}

function isFault(text: string): text is FieldFault {
  return Object.hasOwn(FIELD_FAULTS, text);
}
