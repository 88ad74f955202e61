import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { currencyTable } from './currencies.js';
import type { Currency } from './currencies.js';
import {
  AMOUNT_MINOR_MAX,
  BALANCE_MINOR_MAX,
  formatMinor,
  isStorableBalance,
  isTransferableAmount,
  parseAmount,
} from './money.js';

const JPY: Currency = { code: 'JPY', exponent: 0 };
const EUR: Currency = { code: 'EUR', exponent: 2 };
const BHD: Currency = { code: 'BHD', exponent: 3 };
const CLF: Currency = { code: 'CLF', exponent: 4 };
const GOLD: Currency = { code: 'GOLD', exponent: 8 };
const CURRENCIES = [JPY, EUR, BHD, CLF, GOLD];

/** What a case comes to: the minor units, or the fault's name. */
function parsed(value: string | number, currency: Currency): bigint | string {
  const result = parseAmount(value, currency);
  if (!result.ok) return result.fault;
  expect(result.money.currency).toBe(currency.code);
  return result.money.minor;
}

/** Prints minor units by moving characters only: the reference that no arithmetic can spoil. */
function printed(minor: bigint, exponent: number): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  const sign = minor < 0n ? '-' : '';
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

const anyMinor = fc.bigInt({ min: -BALANCE_MINOR_MAX, max: BALANCE_MINOR_MAX });
const anyCurrency = fc.constantFrom(...CURRENCIES);

describe('parsing an amount from text', () => {
  it.each<[string, Currency, bigint | string]>([
    ['0', EUR, 0n],
    ['-0', EUR, 0n],
    ['-0.00', EUR, 0n],
    ['1', EUR, 100n],
    ['1.0', EUR, 100n],
    ['1.00', EUR, 100n],
    ['0.01', EUR, 1n],
    ['-0.01', EUR, -1n],
    ['0.009', EUR, 'too_many_decimals'],
    ['0.001', EUR, 'too_many_decimals'],
    ['1.005', EUR, 'too_many_decimals'],
    // Zeros behind the last decimal change nothing about the sum.
    ['1.000', EUR, 100n],
    ['1.0', JPY, 1n],
    ['1.5', JPY, 'too_many_decimals'],
    ['1.234', BHD, 1234n],
    ['1.2345', BHD, 'too_many_decimals'],
    ['1.2345', CLF, 12345n],
    ['0.00000001', GOLD, 1n],
    ['0.000000001', GOLD, 'too_many_decimals'],
    ['90071992547409.93', EUR, 9007199254740993n],
    ['46116860184273879.04', EUR, BALANCE_MINOR_MAX],
    ['46116860184273879.05', EUR, 'too_large'],
    ['-46116860184273879.04', EUR, -BALANCE_MINOR_MAX],
    ['-46116860184273879.05', EUR, 'too_large'],
    ['9223372036854775808', JPY, 'too_large'],
    ['99999999999999999999', JPY, 'too_large'],
    [`0.${'0'.repeat(38)}`, EUR, 0n],
    [`0.${'0'.repeat(39)}`, EUR, 'too_large'],
    ['1e2', EUR, 'exponent_form'],
    ['1E2', EUR, 'exponent_form'],
    ['1.5e-2', EUR, 'exponent_form'],
    ['+1e+2', EUR, 'exponent_form'],
    [`1e${'9'.repeat(60)}`, EUR, 'exponent_form'],
    ['', EUR, 'not_a_number'],
    [' ', EUR, 'not_a_number'],
    [' 1', EUR, 'not_a_number'],
    ['1 ', EUR, 'not_a_number'],
    ['1\n', EUR, 'not_a_number'],
    ['+1', EUR, 'not_a_number'],
    ['--1', EUR, 'not_a_number'],
    ['01', EUR, 'not_a_number'],
    ['00.10', EUR, 'not_a_number'],
    ['.5', EUR, 'not_a_number'],
    ['5.', EUR, 'not_a_number'],
    ['1,50', EUR, 'not_a_number'],
    ['1_000', EUR, 'not_a_number'],
    ['1 000.00', EUR, 'not_a_number'],
    ['0x10', EUR, 'not_a_number'],
    ['١', EUR, 'not_a_number'],
    ['NaN', EUR, 'not_a_number'],
    ['Infinity', EUR, 'not_a_number'],
    ['-Infinity', EUR, 'not_a_number'],
    ['null', EUR, 'not_a_number'],
  ])('reads %j in %j as %s', (text, currency, expected) => {
    expect(parsed(text, currency)).toBe(expected);
  });
});

describe('parsing an amount from a JSON number', () => {
  it.each<[number, Currency, bigint | string]>([
    [0, EUR, 0n],
    [-0, EUR, 0n],
    [12.34, EUR, 1234n],
    [0.1, EUR, 10n],
    [0.07, EUR, 7n],
    [1.1, BHD, 1100n],
    // What 0.1 + 0.2 became is not what its sender meant.
    [0.1 + 0.2, EUR, 'too_many_decimals'],
    [1.005, EUR, 'too_many_decimals'],
    // From 2^46 on, a float cannot tell all sums of two decimals apart.
    [70368744177663.99, EUR, 7036874417766399n],
    [70368744177664.02, EUR, 'inexact_number'],
    [JSON.parse('90071992547409.91') as number, EUR, 'inexact_number'],
    [JSON.parse('9007199254740.991') as number, BHD, 'inexact_number'],
    [10000000000000.01, EUR, 1000000000000001n],
    [-10000000000000.01, EUR, -1000000000000001n],
    [2 ** 53 - 1, JPY, 9007199254740991n],
    [2 ** 53, JPY, 'inexact_number'],
    [-(2 ** 53), JPY, 'inexact_number'],
    [1e15, EUR, 'inexact_number'],
    [1e20, JPY, 'too_large'],
    [1e21, JPY, 'exponent_form'],
    [1e-7, GOLD, 'exponent_form'],
    [0.000001, GOLD, 100n],
    [Number.NaN, EUR, 'not_a_number'],
    [Number.POSITIVE_INFINITY, EUR, 'not_a_number'],
    [Number.NEGATIVE_INFINITY, EUR, 'not_a_number'],
  ])('reads %d in %j as %s', (value, currency, expected) => {
    expect(parsed(value, currency)).toBe(expected);
  });

  it('reads every sum of up to fifteen digits as it was written', () => {
    const fifteenDigits = fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n });
    fc.assert(
      fc.property(fifteenDigits, fc.constantFrom(JPY, EUR, BHD), (minor, currency) => {
        const number = JSON.parse(printed(minor, currency.exponent)) as number;
        expect(parsed(number, currency)).toBe(minor);
      }),
    );
  });

  it('never reads a number as another sum than the one that was written', () => {
    const aroundTheBound = fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n });
    fc.assert(
      fc.property(aroundTheBound, anyCurrency, (minor, currency) => {
        const number = JSON.parse(printed(minor, currency.exponent)) as number;
        const result = parsed(number, currency);
        if (typeof result === 'bigint') expect(result).toBe(minor);
      }),
    );
  });

  it('takes a number for exactly what its shortest text says, or not at all', () => {
    fc.assert(
      fc.property(fc.double(), anyCurrency, (value, currency) => {
        const fromNumber = parsed(value, currency);
        if (typeof fromNumber === 'bigint') {
          expect(parsed(String(value), currency)).toBe(fromNumber);
        }
      }),
    );
  });
});

describe('printing minor units', () => {
  it.each<[bigint, number, string]>([
    [0n, 0, '0'],
    [0n, 2, '0.00'],
    [1n, 2, '0.01'],
    [-1n, 2, '-0.01'],
    [1234n, 2, '12.34'],
    [100n, 2, '1.00'],
    [1n, 8, '0.00000001'],
    [1234n, 0, '1234'],
    [9007199254740993n, 2, '90071992547409.93'],
    [BALANCE_MINOR_MAX, 0, '4611686018427387904'],
    [-BALANCE_MINOR_MAX, 8, '-46116860184.27387904'],
  ])('prints %s with exponent %d as %s', (minor, exponent, text) => {
    expect(formatMinor(minor, exponent)).toBe(text);
  });

  it('gives back what was parsed, for every exponent', () => {
    fc.assert(
      fc.property(anyMinor, anyCurrency, (minor, currency) => {
        expect(parsed(formatMinor(minor, currency.exponent), currency)).toBe(minor);
      }),
    );
  });

  it('agrees with moving the characters of the number, so no float is in between', () => {
    fc.assert(
      fc.property(anyMinor, anyCurrency, (minor, currency) => {
        const text = printed(minor, currency.exponent);
        expect(formatMinor(minor, currency.exponent)).toBe(text);
        expect(parsed(text, currency)).toBe(minor);
      }),
    );
  });

  it('keeps neighbours apart beyond 2^53', () => {
    const beyondExactFloats = fc.bigInt({ min: 2n ** 53n, max: BALANCE_MINOR_MAX - 1n });
    fc.assert(
      fc.property(beyondExactFloats, anyCurrency, (minor, currency) => {
        const text = formatMinor(minor, currency.exponent);
        expect(formatMinor(minor + 1n, currency.exponent)).not.toBe(text);
        expect(parsed(text, currency)).toBe(minor);
      }),
    );
  });
});

describe('bounds', () => {
  it.each<[bigint, boolean]>([
    [-1n, false],
    [0n, false],
    [1n, true],
    [AMOUNT_MINOR_MAX, true],
    [AMOUNT_MINOR_MAX + 1n, false],
  ])('a transfer of %s is possible: %s', (minor, expected) => {
    expect(isTransferableAmount(minor)).toBe(expected);
  });

  it.each<[bigint, boolean]>([
    [-BALANCE_MINOR_MAX - 1n, false],
    [-BALANCE_MINOR_MAX, true],
    [0n, true],
    [BALANCE_MINOR_MAX, true],
    [BALANCE_MINOR_MAX + 1n, false],
  ])('a balance of %s can be stored: %s', (minor, expected) => {
    expect(isStorableBalance(minor)).toBe(expected);
  });

  it('leave room for the sum of any two legal values in a signed 64-bit column', () => {
    expect(BALANCE_MINOR_MAX + AMOUNT_MINOR_MAX).toBeLessThan(2n ** 63n);
    expect(BALANCE_MINOR_MAX + BALANCE_MINOR_MAX - 1n).toBeLessThan(2n ** 63n);
  });
});

it('every currency of the table parses and prints its own smallest unit', () => {
  for (const currency of currencyTable().values()) {
    const text = formatMinor(1n, currency.exponent);
    expect(parsed(text, currency)).toBe(1n);
  }
});
