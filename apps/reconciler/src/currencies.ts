import { storedCurrencies } from '@surety/db';
import type { Session } from '@surety/db';
import { currencyMistakes, currencyTable } from '@surety/domain';
import type { Currency, CurrencyTable, StoredCurrency } from '@surety/domain';
import { ConfigurationError } from '@surety/runtime';

/**
 * For a process: compares what the shards that answer have written down. One that is away is not
 * waited for, because no sum is told here.
 * @throws ConfigurationError with all mistakes
 */
export async function refuseOtherDecimals(
  shards: readonly Session[],
  custom: readonly Currency[],
): Promise<void> {
  refuse(currencyMistakes(await storedCurrencies(shards), tableOf(custom)));
}

/**
 * For a command: what it does not say, the shards say, so that it can be run with their URLs alone.
 * @throws ConfigurationError where it says otherwise than they do
 */
export function tableWithStored(
  custom: readonly Currency[],
  stored: readonly StoredCurrency[],
): CurrencyTable {
  const table = new Map(tableOf(custom));
  for (const { code, exponent } of stored) {
    if (exponent !== null && !table.has(code)) table.set(code, { code, exponent });
  }
  refuse(currencyMistakes(stored, table));
  return table;
}

function refuse(mistakes: readonly string[]): void {
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
}

function tableOf(custom: readonly Currency[]): CurrencyTable {
  try {
    return currencyTable(custom);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError([`SURETY_CURRENCIES: ${message}`]);
  }
}
