/** Why a transfer was rejected or cancelled: the `reason` of a status. Codes never change meaning. */
export const REASONS = {
  same_account: 'Source and destination are the same account.',
  source_not_found: 'The source account does not exist.',
  source_frozen: 'The source account is frozen.',
  source_closed: 'The source account is closed.',
  debits_blocked: 'The source account is blocked for debits.',
  source_currency_mismatch: 'The source account is kept in another currency.',
  insufficient_funds: 'Available money (balance - held + overdraft limit) is below the amount.',
  held_limit: 'The held total of the source account would pass its technical bound.',
  destination_not_found: 'The destination account does not exist.',
  destination_frozen: 'The destination account is frozen.',
  destination_closed: 'The destination account is closed.',
  credits_blocked: 'The destination account is blocked for credits.',
  destination_currency_mismatch: 'The destination account is kept in another currency.',
  balance_limit: 'The balance of the account would pass its technical bound.',
  not_processed: 'The transfer was not taken up in time and never held any money.',
  hold_expired: 'The hold expired before the destination was credited.',
  cancelled_by_client: 'A client asked for the transfer to be cancelled.',
} as const;

export type Reason = keyof typeof REASONS;

export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}
