import type { AccountId, CurrencyCode } from '@surety/domain';

/** Some 100 bytes each: enough for the accounts of a busy hour, never more than a few megabytes. */
const CACHED_MAX = 20_000;

/**
 * The currency of an account never changes, so it is read once. Accounts that do not exist are not
 * remembered: they may be opened at any moment.
 */
export class AccountCurrencies {
  private readonly read: (account: AccountId) => Promise<CurrencyCode | undefined>;
  /** In the order of last use: the first one is the next to go. */
  private readonly known = new Map<AccountId, CurrencyCode>();

  constructor(read: (account: AccountId) => Promise<CurrencyCode | undefined>) {
    this.read = read;
  }

  async find(account: AccountId): Promise<CurrencyCode | undefined> {
    const currency = this.known.get(account) ?? (await this.read(account));
    if (currency !== undefined) this.remember(account, currency);
    return currency;
  }

  remember(account: AccountId, currency: CurrencyCode): void {
    this.known.delete(account);
    this.known.set(account, currency);
    if (this.known.size > CACHED_MAX) {
      const [oldest] = this.known.keys();
      if (oldest !== undefined) this.known.delete(oldest);
    }
  }
}
