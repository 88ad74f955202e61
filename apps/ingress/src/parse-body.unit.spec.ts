import { describe, expect, test } from '@jest/globals';
import type { FieldError } from '@surety/contracts';
import { currencyTable } from '@surety/domain';
import {
  parseAccountBody,
  parseCancelBody,
  parseFundingBody,
  parseTransferBatch,
  parseTransferBody,
} from './parse-body.js';
import { Problem } from './problem.js';

const currencies = currencyTable([{ code: 'POINTS', exponent: 0 }]);
const good = { sourceAccount: 'a', destinationAccount: 'b', amount: '10.50', currency: 'EUR' };
const { currency: _, ...goodWithoutCurrency } = good;

function errorsOf(parse: () => unknown): readonly FieldError[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.code).toBe('invalid-request');
    const { errors = [] } = error.fields;
    expect(errors).not.toHaveLength(0);
    return errors;
  }
}

/** `pointer code` of every fault, or `ok`. */
function faultsOf(parse: () => unknown): string[] {
  const faults = errorsOf(parse).map(({ pointer, code }) => `${pointer} ${code}`);
  return faults.length === 0 ? ['ok'] : faults.sort();
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

describe('the body of a transfer', () => {
  test.each<[string, object | null, string[]]>([
    ['everything that is needed', good, ['ok']],
    ['no currency', goodWithoutCurrency, ['ok']],
    ['all that is optional', { ...good, description: 'd', metadata: { a: [1] } }, ['ok']],
    ['a key in the body', { ...good, idempotencyKey: 'k' }, ['ok']],
    ['a currency of the operator', { ...good, amount: 5, currency: 'POINTS' }, ['ok']],
    ['the largest amount', { ...good, amount: '10000000000000.00' }, ['ok']],
    ['the smallest amount', { ...good, amount: '0.01' }, ['ok']],
    ['a plain JSON number', { ...good, amount: 10.5 }, ['ok']],
    ['a description of 255', { ...good, description: 'x'.repeat(255) }, ['ok']],
    ['metadata of 8 levels', { ...good, metadata: nested(8) }, ['ok']],
    [
      'nothing',
      {},
      ['/amount required', '/destinationAccount required', '/sourceAccount required'],
    ],
    ['null', null, [' wrong_type']],
    ['a list', [], [' wrong_type']],
    ['an unknown field', { ...good, amuont: 1 }, ['/amuont unknown_field']],
    ['a field that needs escaping', { ...good, 'a/b~': 1 }, ['/a~1b~0 unknown_field']],
    [
      'an inherited name',
      JSON.parse(`{"__proto__":1,${JSON.stringify(good).slice(1)}`) as object,
      ['/__proto__ unknown_field'],
    ],
    ['amount zero', { ...good, amount: '0.00' }, ['/amount not_positive']],
    ['amount minus zero', { ...good, amount: '-0' }, ['/amount not_positive']],
    ['amount JSON zero', { ...good, amount: 0 }, ['/amount not_positive']],
    ['amount negative', { ...good, amount: '-1.00' }, ['/amount not_positive']],
    ['too many decimals', { ...good, amount: '1.001' }, ['/amount too_many_decimals']],
    [
      'decimals of a yen',
      { ...good, amount: '1.5', currency: 'JPY' },
      ['/amount too_many_decimals'],
    ],
    [
      'four decimals of a dinar',
      { ...good, amount: '1.0001', currency: 'BHD' },
      ['/amount too_many_decimals'],
    ],
    ['exponent form', { ...good, amount: '1e3' }, ['/amount exponent_form']],
    [
      'a number whose shortest form has an exponent',
      { ...good, amount: 1e21 },
      ['/amount exponent_form'],
    ],
    ['a tiny number', { ...good, amount: 1e-7 }, ['/amount exponent_form']],
    ['NaN', { ...good, amount: 'NaN' }, ['/amount not_a_number']],
    ['Infinity', { ...good, amount: Number.POSITIVE_INFINITY }, ['/amount not_a_number']],
    ['a plus sign', { ...good, amount: '+1' }, ['/amount not_a_number']],
    ['an empty amount', { ...good, amount: '' }, ['/amount not_a_number']],
    ['a comma', { ...good, amount: '1,50' }, ['/amount not_a_number']],
    ['spaces', { ...good, amount: ' 1' }, ['/amount not_a_number']],
    ['hexadecimal', { ...good, amount: '0x10' }, ['/amount not_a_number']],
    ['amount over the bound', { ...good, amount: '10000000000000.01' }, ['/amount too_large']],
    ['amount over BIGINT', { ...good, amount: '92233720368547758.08' }, ['/amount too_large']],
    ['a very long amount', { ...good, amount: '9'.repeat(60_000) }, ['/amount too_large']],
    ['an inexact number', { ...good, amount: 90071992547409.94 }, ['/amount inexact_number']],
    ['amount true', { ...good, amount: true }, ['/amount wrong_type']],
    ['amount null', { ...good, amount: null }, ['/amount wrong_type']],
    ['an unknown currency', { ...good, currency: 'XXY' }, ['/currency unknown_currency']],
    ['a lower-case currency', { ...good, currency: 'eur' }, ['/currency unknown_currency']],
    ['an inherited currency', { ...good, currency: 'constructor' }, ['/currency unknown_currency']],
    ['a currency of another type', { ...good, currency: 978 }, ['/currency wrong_type']],
    [
      'one account twice',
      { ...good, destinationAccount: 'a' },
      ['/destinationAccount same_account'],
    ],
    [
      'a malformed account',
      { ...good, sourceAccount: 'a b' },
      ['/sourceAccount malformed_identifier'],
    ],
    [
      'a system account',
      { ...good, destinationAccount: '~transit:1:EUR' },
      ['/destinationAccount malformed_identifier'],
    ],
    [
      'an account with a line end',
      { ...good, sourceAccount: 'a\n' },
      ['/sourceAccount malformed_identifier'],
    ],
    [
      'an account of 65',
      { ...good, sourceAccount: 'x'.repeat(65) },
      ['/sourceAccount malformed_identifier'],
    ],
    ['a description of 256', { ...good, description: 'x'.repeat(256) }, ['/description too_long']],
    ['metadata that is a list', { ...good, metadata: [] }, ['/metadata wrong_type']],
    ['metadata that is null', { ...good, metadata: null }, ['/metadata wrong_type']],
    ['metadata of 9 levels', { ...good, metadata: nested(9) }, ['/metadata too_deep']],
    ['metadata over 4 KiB', { ...good, metadata: { a: 'x'.repeat(4100) } }, ['/metadata too_long']],
    ['half a pair', { ...good, description: 'a\ud800' }, ['/description not_unicode']],
    [
      'metadata that would not come back as they were sent',
      {
        ...good,
        metadata: { text: '\udc00', list: [1, { '\ud800': true }], far: Infinity, id: 2 ** 53 },
      },
      [
        '/metadata/far inexact_number',
        '/metadata/id inexact_number',
        '/metadata/list/1/\ud800 not_unicode',
        '/metadata/text not_unicode',
      ],
    ],
    [
      'several faults at once',
      { sourceAccount: 1, destinationAccount: 'b', amount: '-1', currency: 'EU', x: 1 },
      [
        '/amount not_positive',
        '/currency unknown_currency',
        '/sourceAccount wrong_type',
        '/x unknown_field',
      ],
    ],
  ])('with %s', (_what, body, expected) => {
    expect(faultsOf(() => parseTransferBody(body, currencies))).toEqual(expected);
  });

  test.each<[string | number, string[]]>([
    ['0.5', ['ok']],
    ['1.123456', ['ok']],
    ['-0.5', ['/amount not_positive']],
    ['0', ['/amount not_positive']],
    ['1e2', ['/amount exponent_form']],
    ['9'.repeat(20), ['/amount too_large']],
  ])('without a currency judges %j only by what every currency refuses', (amount, expected) => {
    const body = { ...goodWithoutCurrency, amount };
    expect(faultsOf(() => parseTransferBody(body, currencies))).toEqual(expected);
  });

  test('names a bounded number of faults', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_unused, n) => [`f${n}`, n]));
    expect(faultsOf(() => parseTransferBody({ ...good, ...many }, currencies))).toHaveLength(32);
  });
});

describe('the body of a funding', () => {
  test.each<[string, object, string[]]>([
    ['a deposit', { amount: '1', direction: 'deposit' }, ['ok']],
    [
      'a withdrawal with a currency',
      { amount: '1', direction: 'withdrawal', currency: 'EUR' },
      ['ok'],
    ],
    ['no direction', { amount: '1' }, ['/direction required']],
    ['an unknown direction', { amount: '1', direction: 'sideways' }, ['/direction unknown_value']],
    ['amount zero', { amount: '0', direction: 'deposit' }, ['/amount not_positive']],
    [
      'an account',
      { amount: '1', direction: 'deposit', accountId: 'a' },
      ['/accountId unknown_field'],
    ],
  ])('with %s', (_what, body, expected) => {
    expect(faultsOf(() => parseFundingBody(body, currencies))).toEqual(expected);
  });
});

describe('the body of an account', () => {
  test.each<[string, object, string[]]>([
    ['a currency', { currency: 'EUR' }, ['ok']],
    [
      'everything',
      {
        accountId: 'a',
        currency: 'EUR',
        type: 'merchant',
        owner: 'o',
        overdraftLimit: '5',
        metadata: {},
      },
      ['ok'],
    ],
    ['no currency', {}, ['/currency required']],
    ['an unknown currency', { currency: 'EUX' }, ['/currency unknown_currency']],
    ['an unknown type', { currency: 'EUR', type: 'transit' }, ['/type unknown_value']],
    ['a malformed owner', { currency: 'EUR', owner: 'é' }, ['/owner malformed_identifier']],
    ['a malformed id', { currency: 'EUR', accountId: '' }, ['/accountId malformed_identifier']],
    ['a negative limit', { currency: 'EUR', overdraftLimit: '-1' }, ['/overdraftLimit negative']],
    [
      'a limit of too many decimals',
      { currency: 'JPY', overdraftLimit: '1.5' },
      ['/overdraftLimit too_many_decimals'],
    ],
    [
      'a limit over BIGINT',
      { currency: 'JPY', overdraftLimit: '9223372036854775808' },
      ['/overdraftLimit too_large'],
    ],
  ])('with %s', (_what, body, expected) => {
    expect(faultsOf(() => parseAccountBody(body, currencies))).toEqual(expected);
  });

  test('reads the overdraft limit exactly', () => {
    const body = { currency: 'BHD', overdraftLimit: '90071992547.409' };
    expect(parseAccountBody(body, currencies).overdraftLimitMinor).toBe(90071992547409n);
  });
});

describe('the body of a cancel', () => {
  test.each<[string, unknown, string[]]>([
    ['nothing in it', {}, ['ok']],
    ['a key', { idempotencyKey: 'k' }, ['ok']],
    ['a key of another type', { idempotencyKey: 1 }, ['/idempotencyKey wrong_type']],
    ['an unknown field', { reason: 'changed my mind' }, ['/reason unknown_field']],
    ['a list', [], [' wrong_type']],
  ])('with %s', (_what, body, expected) => {
    expect(faultsOf(() => parseCancelBody(body))).toEqual(expected);
  });
});

describe('the body of a batch', () => {
  test.each<[string, object, string[]]>([
    ['one member, whatever it is', { transfers: [null] }, ['ok']],
    ['a thousand', { transfers: Array.from({ length: 1_000 }, () => good) }, ['ok']],
    ['one more', { transfers: Array.from({ length: 1_001 }) }, ['/transfers too_many']],
    ['an empty list', { transfers: [] }, ['/transfers too_few']],
    ['no list', {}, ['/transfers required']],
    ['something else', { transfers: {} }, ['/transfers wrong_type']],
  ])('%s', (_name, body, faults) => {
    expect(faultsOf(() => parseTransferBatch(body))).toEqual(faults);
  });
});

describe('what a field takes is told with its fault', () => {
  const funding = { amount: '1', direction: 'deposit' };
  const members = Array.from({ length: 1_001 });

  test.each<[string, () => unknown, object]>([
    [
      'the directions',
      () => parseFundingBody({ ...funding, direction: 'in' }, currencies),
      {
        allowed: ['deposit', 'withdrawal'],
        message: 'The value is not one of the known ones. Known: deposit, withdrawal.',
      },
    ],
    [
      'the types',
      () => parseAccountBody({ currency: 'EUR', type: 'x' }, currencies),
      { allowed: ['customer', 'merchant', 'fee'] },
    ],
    [
      'the length of a description',
      () => parseFundingBody({ ...funding, description: 'x'.repeat(256) }, currencies),
      { max: 255, message: 'The value is longer than allowed. At most 255 characters.' },
    ],
    [
      'the size of metadata',
      () => parseTransferBody({ ...good, metadata: { a: 'x'.repeat(4100) } }, currencies),
      { max: 4096, message: 'The value is longer than allowed. At most 4096 bytes.' },
    ],
    [
      'the depth of metadata',
      () => parseTransferBody({ ...good, metadata: nested(9) }, currencies),
      { max: 8, message: 'The value is nested deeper than allowed. At most 8 levels.' },
    ],
    [
      'the length of a batch',
      () => parseTransferBatch({ transfers: members }),
      { max: 1000, message: 'The list has more members than allowed. At most 1000 members.' },
    ],
  ])('%s', (_what, parse, expected) => {
    expect(errorsOf(parse)).toEqual([expect.objectContaining(expected)]);
  });

  test('also where the field is missing, if there is a list', () => {
    expect(errorsOf(() => parseFundingBody({}, currencies))).toEqual([
      { pointer: '/amount', code: 'required', message: 'The field is required.' },
      {
        pointer: '/direction',
        code: 'required',
        message: 'The field is required. Known: deposit, withdrawal.',
        allowed: ['deposit', 'withdrawal'],
      },
    ]);
  });
});
