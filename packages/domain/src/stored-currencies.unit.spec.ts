import { describe, expect, it } from '@jest/globals';
import { currencyTable } from './currencies.js';
import { currencyMistakes, isOwnCurrency } from './stored-currencies.js';
import type { StoredCurrency } from './stored-currencies.js';

const TABLE = currencyTable([
  { code: 'GOLD', exponent: 6 },
  { code: 'POINTS', exponent: 0 },
]);

const on = (shard: number, code: string, exponent: number | null): StoredCurrency => ({
  code,
  exponent,
  shard,
});

describe('stored currencies against those that are configured', () => {
  it.each<[string, readonly StoredCurrency[]]>([
    ['nothing is stored', []],
    ['all is stored as it is configured', [on(0, 'GOLD', 6), on(1, 'POINTS', 0), on(1, 'EUR', 2)]],
    ['a currency of accounts has decimals that nobody wrote down', [on(0, 'GOLD', null)]],
  ])('agree where %s', (_what, stored) => {
    expect(currencyMistakes(stored, TABLE)).toEqual([]);
  });

  it.each<[string, readonly StoredCurrency[], string]>([
    [
      'fewer decimals than are stored',
      [on(0, 'GOLD', 7)],
      'SURETY_CURRENCIES: money is stored in GOLD with 7 decimals (shard 0), it has 6 now: ' +
        'GOLD:7 is right',
    ],
    [
      'decimals where none are stored',
      [on(0, 'GOLD', 0), on(2, 'GOLD', 0)],
      'SURETY_CURRENCIES: money is stored in GOLD with 0 decimals (shards 0, 2), it has 6 now: ' +
        'GOLD:0 is right',
    ],
    [
      'a currency that is gone',
      [on(1, 'SILVER', 3)],
      'SURETY_CURRENCIES: money is stored in SILVER with 3 decimals (shard 1), it is not ' +
        'configured any more: SILVER:3 is right',
    ],
    [
      'a currency of accounts that nobody wrote down, gone',
      [on(1, 'SILVER', null)],
      'SURETY_CURRENCIES: accounts are in SILVER (shard 1), it is not configured: it needs the ' +
        'decimals that it has always had',
    ],
    [
      'an ISO currency of another release, which no setting mends',
      [on(0, 'ISK', 2)],
      'money is stored in ISK with 2 decimals (shard 0), it has 0 now by this release',
    ],
  ])('differ by %s', (_what, stored, mistake) => {
    expect(currencyMistakes(stored, TABLE)).toEqual([mistake]);
  });

  it('are told of all together, one sentence for each currency and its decimals', () => {
    const stored = [on(0, 'GOLD', 2), on(0, 'SILVER', 3), on(1, 'GOLD', 2), on(2, 'GOLD', 6)];
    const mistakes = currencyMistakes([...stored, on(3, 'GOLD', 1)], TABLE);
    expect(mistakes.map((one) => one.slice(0, one.indexOf(',')))).toEqual([
      'SURETY_CURRENCIES: money is stored in GOLD with 1 decimals (shard 3)',
      'SURETY_CURRENCIES: money is stored in GOLD with 2 decimals (shards 0',
      'SURETY_CURRENCIES: money is stored in SILVER with 3 decimals (shard 0)',
    ]);
  });

  it.each([
    ['GOLD', true],
    ['EUR', false],
    ['JPY', false],
  ])('%s is an own currency: %s', (code, isOwn) => {
    expect(isOwnCurrency(code)).toBe(isOwn);
  });
});
