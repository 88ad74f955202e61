import { describe, expect, it } from '@jest/globals';
import { currencyTable } from '@surety/domain';
import { amountText } from './amount-text.js';

describe('a sum that the operator reads', () => {
  const currencies = currencyTable([{ code: 'GOLD', exponent: 6 }]);

  it.each([
    [1234n, 'EUR', '12.34 EUR'],
    [-5n, 'EUR', '-0.05 EUR'],
    [1234n, 'JPY', '1234 JPY'],
    [1_500_000n, 'GOLD', '1.500000 GOLD'],
    [1234n, 'POINTS', '1234 minor POINTS (unknown currency)'],
    [-1234n, null, '-1234 minor (unknown currency)'],
  ])('of %s minor units of %s reads %j', (minor, currency, text) => {
    expect(amountText(minor, currency, currencies)).toBe(text);
  });
});
