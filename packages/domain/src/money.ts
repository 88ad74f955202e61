import { Big } from 'big.js';
import type { Currency, CurrencyCode } from './currencies.js';

/** An exact sum: whole minor units (cents, yen, fils) of one currency. Never a `number`. */
export interface Money {
  readonly minor: bigint;
  readonly currency: CurrencyCode;
}

/** The largest amount one transfer may carry, in minor units. */
export const AMOUNT_MINOR_MAX = 10n ** 15n;

/**
 * The bound of |balance| and of held, in minor units. Far enough below 2^63 that no sum of two
 * legal values can leave a signed 64-bit column.
 */
export const BALANCE_MINOR_MAX = 2n ** 62n;

/** Whole numbers beyond this have no exact JSON number of their own (RFC 8259, section 6). */
const EXACT_JSON_MINOR_MAX = 2n ** 53n - 1n;

export type AmountFault =
  'not_a_number' | 'exponent_form' | 'too_many_decimals' | 'too_large' | 'inexact_number';

export type ParsedAmount =
  | { readonly ok: true; readonly money: Money }
  | { readonly ok: false; readonly fault: AmountFault };

const PLAIN_DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;
const EXPONENT_FORM = /^[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+$/;
/** Longer texts are refused before big.js sees them: its cost grows with the digits. */
const AMOUNT_TEXT_MAX = 40;

/**
 * Reads a decimal amount exactly. A string is the normal form; a JSON number is taken only where
 * its shortest decimal form is plain and its minor units are exactly representable.
 */
export function parseAmount(value: string | number, currency: Currency): ParsedAmount {
  const text = typeof value === 'number' ? String(value) : value;
  if (EXPONENT_FORM.test(text)) return { ok: false, fault: 'exponent_form' };
  if (text.length > AMOUNT_TEXT_MAX) return { ok: false, fault: 'too_large' };
  if (!PLAIN_DECIMAL.test(text)) return { ok: false, fault: 'not_a_number' };
  // The exponent of its notation scales a decimal: half the price of a multiplication.
  const scaled = new Big(`${text}e${currency.exponent}`).toFixed();
  if (scaled.includes('.')) return { ok: false, fault: 'too_many_decimals' };
  const minor = BigInt(scaled);
  const magnitude = minor < 0n ? -minor : minor;
  if (magnitude > BALANCE_MINOR_MAX) return { ok: false, fault: 'too_large' };
  if (typeof value === 'number' && !isExactAsNumber(value, minor, currency.exponent)) {
    return { ok: false, fault: 'inexact_number' };
  }
  return { ok: true, money: { minor, currency: currency.code } };
}

/**
 * Whether this sum is the only one that the JSON number can stand for. Two decimals need finer
 * floats than whole numbers do: 90071992547409.91 and 90071992547409.9 are the same float though
 * their minor units are below 2^53.
 */
function isExactAsNumber(value: number, minor: bigint, exponent: number): boolean {
  if (minor > EXACT_JSON_MINOR_MAX || minor < -EXACT_JSON_MINOR_MAX) return false;
  const neighbours = [minor - 1n, minor + 1n];
  return neighbours.every((neighbour) => Number(formatMinor(neighbour, exponent)) !== value);
}

/** Prints minor units as a decimal string with exactly the currency's decimals: 1234, 2 -> "12.34". */
export function formatMinor(minor: bigint, exponent: number): string {
  return new Big(`${minor}e-${exponent}`).toFixed(exponent);
}

/** Whether a transfer may carry this amount: positive and within the bound. */
export function isTransferableAmount(minor: bigint): boolean {
  return minor > 0n && minor <= AMOUNT_MINOR_MAX;
}

/** Whether a balance or a held total stays within the bound that keeps every statement exact. */
export function isStorableBalance(minor: bigint): boolean {
  return minor >= -BALANCE_MINOR_MAX && minor <= BALANCE_MINOR_MAX;
}
