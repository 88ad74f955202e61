import { describe, expect, it } from '@jest/globals';
import { readAmount } from './amount.js';
import type { AmountFormat } from './amount.js';

const point: AmountFormat = { decimal: '.', grouping: '' };
const german: AmountFormat = { decimal: ',', grouping: '.' };
const swiss: AmountFormat = { decimal: '.', grouping: "'" };

describe('an amount as a file writes it', () => {
  it.each<[string, AmountFormat, number, bigint | string]>([
    ['12.34', point, 2, 1234n],
    ['-12.34', point, 2, -1234n],
    ['+12.3', point, 2, 1230n],
    ['0012', point, 2, 1200n],
    ['100', point, 0, 100n],
    ['90071992547409.93', point, 2, 9007199254740993n],
    ['-1.234.567,50', german, 2, -123456750n],
    ['1234,50', german, 2, 123450n],
    ["1'234.5", swiss, 2, 123450n],
    ['1.234', point, 2, 'has more decimals than its currency'],
    ['1.5', point, 0, 'has more decimals than its currency'],
    ['1,234.50', german, 2, 'is no amount'],
    ['12.34,5', german, 2, 'is no amount'],
    ['1234.567,00', german, 2, 'is no amount'],
    ['1,234.50', point, 2, 'is no amount'],
    ['1.2.3', point, 2, 'is no amount'],
    ['', point, 2, 'is no amount'],
    ['-', point, 2, 'is no amount'],
    ['1.', point, 2, 'is no amount'],
    ['1e3', point, 2, 'is no amount'],
    ['NaN', point, 2, 'is no amount'],
    ['9'.repeat(30), point, 2, 'is larger than any sum here'],
  ])('%j of %j with %d decimals is %s', (text, format, exponent, expected) => {
    const amount = readAmount(text, format, { code: 'XXX', exponent });
    expect(amount.ok ? amount.minor : amount.fault).toBe(expected);
  });
});
