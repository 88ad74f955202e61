import type { CurrencyCode } from './currencies.js';
import type { AccountId } from './ids.js';
import { isStorableBalance } from './money.js';
import type { Money } from './money.js';
import type { Reason } from './reasons.js';

export type AccountType = 'customer' | 'merchant' | 'fee';
export type AccountStatus = 'open' | 'frozen' | 'closed';

/** The authority on one account's money, as its locked row says. All sums in minor units. */
export interface Account {
  readonly id: AccountId;
  readonly slot: number;
  readonly type: AccountType;
  readonly owner: string | null;
  readonly tenant: string;
  readonly currency: CurrencyCode;
  readonly status: AccountStatus;
  readonly debitsBlocked: boolean;
  readonly creditsBlocked: boolean;
  readonly balance: bigint;
  readonly held: bigint;
  readonly overdraftLimit: bigint;
  /** Counts changes of balance and held; the version of every projection of this account. */
  readonly version: bigint;
  /** Number of ledger legs of this account; the next leg takes entrySeq + 1. */
  readonly entrySeq: bigint;
}

/** What may still be held or withdrawn: balance - held + overdraft limit. */
export function availableMinor(account: Account): bigint {
  return account.balance - account.held + account.overdraftLimit;
}

/** Why the account cannot promise this amount, or undefined where it can. */
export function holdRefusal(account: Account | undefined, amount: Money): Reason | undefined {
  if (!account) return 'source_not_found';
  if (account.status === 'closed') return 'source_closed';
  if (account.status === 'frozen') return 'source_frozen';
  if (account.debitsBlocked) return 'debits_blocked';
  if (account.currency !== amount.currency) return 'source_currency_mismatch';
  if (availableMinor(account) < amount.minor) return 'insufficient_funds';
  if (!isStorableBalance(account.held + amount.minor)) return 'held_limit';
  // The commit has no business checks, so the hold must leave room for every debit it promises.
  if (!isStorableBalance(account.balance - account.held - amount.minor)) return 'balance_limit';
  return undefined;
}

/** Why the account cannot receive this amount, or undefined where it can. */
export function creditRefusal(account: Account | undefined, amount: Money): Reason | undefined {
  if (!account) return 'destination_not_found';
  if (account.status === 'closed') return 'destination_closed';
  if (account.status === 'frozen') return 'destination_frozen';
  if (account.creditsBlocked) return 'credits_blocked';
  if (account.currency !== amount.currency) return 'destination_currency_mismatch';
  if (!isStorableBalance(account.balance + amount.minor)) return 'balance_limit';
  return undefined;
}

/** Promises the amount: it stays in the balance and is no longer available. */
export function hold(account: Account, amountMinor: bigint): Account {
  return { ...account, held: account.held + amountMinor, version: account.version + 1n };
}

/** Gives a held amount back to what is available. */
export function releaseHold(account: Account, amountMinor: bigint): Account {
  return { ...account, held: account.held - amountMinor, version: account.version + 1n };
}

/** Takes a held amount out of the balance: one ledger leg. */
export function commitHold(account: Account, amountMinor: bigint): Account {
  return {
    ...account,
    balance: account.balance - amountMinor,
    held: account.held - amountMinor,
    version: account.version + 1n,
    entrySeq: account.entrySeq + 1n,
  };
}

/** Adds a signed amount to the balance: one ledger leg. */
export function post(account: Account, signedMinor: bigint): Account {
  return {
    ...account,
    balance: account.balance + signedMinor,
    version: account.version + 1n,
    entrySeq: account.entrySeq + 1n,
  };
}
