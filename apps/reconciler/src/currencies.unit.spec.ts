import { describe, expect, it } from '@jest/globals';
import type { Currency } from '@surety/domain';
import { ConfigurationError } from '@surety/runtime';
import { tableWithStored } from './currencies.js';

const GOLD: Currency = { code: 'GOLD', exponent: 6 };
const on = (shard: number, code: string, exponent: number) => ({ code, exponent, shard });

function mistakesOf(custom: readonly Currency[], ...stored: ReturnType<typeof on>[]) {
  try {
    tableWithStored(custom, stored);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.mistakes;
  }
}

describe('the currencies of a command', () => {
  it('are those of its environment, and of the shards what that does not say', () => {
    const table = tableWithStored([GOLD], [on(0, 'GOLD', 6), on(0, 'POINTS', 0), on(1, 'EUR', 2)]);
    const told = ['GOLD', 'POINTS', 'EUR', 'SILVER'].map((code) => table.get(code)?.exponent);
    expect(told).toEqual([6, 0, 2, undefined]);
  });

  it('are refused where it says otherwise, all together', () => {
    const silver = { code: 'SILVER', exponent: 3 };
    const stored = [on(0, 'GOLD', 2), on(1, 'SILVER', 4)];
    expect(mistakesOf([GOLD, silver], ...stored)).toEqual([
      expect.stringContaining('GOLD with 2 decimals (shard 0), it has 6 now'),
      expect.stringContaining('SILVER with 4 decimals (shard 1), it has 3 now'),
    ]);
  });

  it('are refused where two shards contradict each other', () => {
    expect(mistakesOf([], on(0, 'GOLD', 6), on(1, 'GOLD', 2))).toEqual([
      expect.stringContaining('GOLD with 2 decimals (shard 1), it has 6 now'),
    ]);
  });

  it('are refused where they contradict ISO 4217', () => {
    expect(mistakesOf([{ code: 'EUR', exponent: 3 }])).toEqual([
      'SURETY_CURRENCIES: currency EUR already has the exponent 2',
    ]);
  });
});
