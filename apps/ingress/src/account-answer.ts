import type { AccountAnswer } from '@surety/contracts';
import { availableMinor, formatMinor } from '@surety/domain';
import type { Account, CurrencyTable } from '@surety/domain';

export function exponentOf(currencies: CurrencyTable, code: string): number {
  const currency = currencies.get(code);
  if (!currency) throw new Error(`currency ${code} is stored and not configured`);
  return currency.exponent;
}

export function accountAnswer(
  account: Account,
  metadata: Record<string, unknown> | undefined,
  currencies: CurrencyTable,
): AccountAnswer {
  const exponent = exponentOf(currencies, account.currency);
  return {
    accountId: account.id,
    type: account.type,
    ...(account.owner === null ? {} : { owner: account.owner }),
    status: account.status,
    currency: account.currency,
    overdraftLimit: formatMinor(account.overdraftLimit, exponent),
    balance: formatMinor(account.balance, exponent),
    held: formatMinor(account.held, exponent),
    available: formatMinor(availableMinor(account), exponent),
    version: account.version.toString(),
    metadata,
  };
}

/** What the client said about the account when it was opened. */
export function metadataOf(
  stored: { readonly metadata: string | null } | undefined,
): Record<string, unknown> | undefined {
  const text = stored?.metadata ?? null;
  return text === null ? undefined : (JSON.parse(text) as Record<string, unknown>);
}
