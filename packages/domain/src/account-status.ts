import type { Account, AccountStatus } from './account.js';

/**
 * What an operator may do to an account's status. Frozen: no new hold is made on it and nothing is
 * credited to it. What is held already is committed or released all the same: those steps have no
 * business checks.
 */
export type AccountStatusCommand = 'freeze' | 'unfreeze';

export type AccountStatusOutcome =
  | { readonly kind: 'changed'; readonly status: AccountStatus }
  /** It is so already. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly because: 'account_not_found' | 'account_closed' };

const STATUS_AFTER: Readonly<Record<AccountStatusCommand, AccountStatus>> = {
  freeze: 'frozen',
  unfreeze: 'open',
};

/** A closed account stays closed: neither command opens it again. */
export function decideAccountStatus(
  account: Account | undefined,
  command: AccountStatusCommand,
): AccountStatusOutcome {
  if (!account) return { kind: 'refused', because: 'account_not_found' };
  if (account.status === 'closed') return { kind: 'refused', because: 'account_closed' };
  const status = STATUS_AFTER[command];
  return account.status === status ? { kind: 'unchanged' } : { kind: 'changed', status };
}
