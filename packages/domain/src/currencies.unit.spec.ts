import { describe, expect, it } from '@jest/globals';
import { currencyTable } from './currencies.js';

describe('the table of currencies', () => {
  it.each([
    ['JPY', 0],
    ['ISK', 0],
    ['XOF', 0],
    ['EUR', 2],
    ['USD', 2],
    ['GBP', 2],
    ['HUF', 2],
    ['BHD', 3],
    ['KWD', 3],
    ['TND', 3],
    ['CLF', 4],
    ['UYW', 4],
  ])('knows %s with %d decimals', (code, exponent) => {
    expect(currencyTable().get(code)).toEqual({ code, exponent });
  });

  it.each(['', 'eur', 'EURO', 'XXX', 'XAU', 'XTS'])('does not know %j', (code) => {
    expect(currencyTable().has(code)).toBe(false);
  });

  it('lists no code twice with different exponents', () => {
    const codes = [...currencyTable().values()].map((currency) => currency.code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
  });

  it.each([
    ['POINTS', 0],
    ['GOLD', 8],
    ['G2X', 3],
    // Saying again what is known already is no contradiction.
    ['EUR', 2],
  ])('takes the custom currency %s with %d decimals', (code, exponent) => {
    expect(currencyTable([{ code, exponent }]).get(code)).toEqual({ code, exponent });
  });

  it.each([
    ['GOLD', -1, /outside 0\.\.8/],
    ['GOLD', 9, /outside 0\.\.8/],
    ['GOLD', 1.5, /outside 0\.\.8/],
    ['GOLD', Number.NaN, /outside 0\.\.8/],
    ['GO', 2, /malformed/],
    ['TOOLONGXX', 2, /malformed/],
    ['gold', 2, /malformed/],
    ['2GO', 2, /malformed/],
    ['', 2, /malformed/],
    ['EUR', 3, /already has the exponent 2/],
  ])('refuses the custom currency %j with %d decimals', (code, exponent, message) => {
    expect(() => currencyTable([{ code, exponent }])).toThrow(message);
  });

  it('refuses two custom currencies of one code that contradict each other', () => {
    const twice = [
      { code: 'GOLD', exponent: 2 },
      { code: 'GOLD', exponent: 3 },
    ];
    expect(() => currencyTable(twice)).toThrow(RangeError);
  });
});
