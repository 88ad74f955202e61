import { createHash } from 'node:crypto';
import type { Chance } from '../../e2e/chance.js';
import type { TransferWish } from './journaled-client.js';

/** Currencies of the accounts and how many decimals they have. */
const DECIMALS: Readonly<Record<string, number>> = { EUR: 2, JPY: 0, KWD: 3 };

export interface ChaosAccount {
  readonly id: string;
  readonly currency: string;
}

const OTHER_CURRENCY_EVERY = 10;
const HOT_ACCOUNTS = 4;
const FUNDS_MINOR = 100_000;
const USUAL_MINOR_MAX = 5_000;

/**
 * Some hundred of them lie in slots of every partition. Numbers alone would not: the CRC that makes
 * a slot keeps what differs in the last digits close together.
 */
export function chaosAccounts(seed: number, count: number): ChaosAccount[] {
  return Array.from({ length: count }, (_, n) => ({
    id: accountId(seed, n),
    currency: n % OTHER_CURRENCY_EVERY === 9 ? ['JPY', 'KWD'][n % 4 === 1 ? 0 : 1]! : 'EUR',
  }));
}

function accountId(seed: number, n: number): string {
  const digits = createHash('sha256').update(`${seed}/${n}`).digest('hex').slice(0, 12);
  return `chaos-${n}-${digits}`;
}

export function decimalOf(minor: number, currency: string): string {
  const decimals = DECIMALS[currency] ?? 2;
  if (decimals === 0) return String(minor);
  const digits = String(minor).padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

export function firstFunds(currency: string): string {
  return decimalOf(FUNDS_MINOR, currency);
}

/** Draws what the clients want next: mostly plain transfers, and now and then each special case. */
export class Wishes {
  readonly #chance: Chance;
  readonly #accounts: readonly ChaosAccount[];

  constructor(chance: Chance, accounts: readonly ChaosAccount[]) {
    this.#chance = chance;
    this.#accounts = accounts;
  }

  transfer(description: string): TransferWish {
    const source = this.#account();
    const destination = this.#destination(source);
    const minor = this.#amountMinor();
    return {
      sourceAccount: source.id,
      destinationAccount: destination,
      amount: decimalOf(minor, source.currency),
      currency: source.currency,
      description,
    };
  }

  funding(description: string): Record<string, string> & { accountId: string } {
    const { id, currency } = this.#account();
    const direction = this.#chance.below(3) === 0 ? 'withdrawal' : 'deposit';
    const amount = decimalOf(1 + this.#chance.below(USUAL_MINOR_MAX), currency);
    return { accountId: id, direction, amount, currency, description };
  }

  /** One account in three is one of a few. */
  #account(): ChaosAccount {
    const isHot = this.#chance.below(3) === 0;
    const among = isHot ? Math.min(HOT_ACCOUNTS, this.#accounts.length) : this.#accounts.length;
    return this.#accounts[this.#chance.below(among)] as ChaosAccount;
  }

  /** One in a hundred leads nowhere; some are kept in another currency by chance. */
  #destination(source: ChaosAccount): string {
    if (this.#chance.below(100) === 0) return `${source.id}-nowhere`;
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { id, currency } = this.#account();
      const isWanted = currency === source.currency || this.#chance.below(5) === 0;
      if (id !== source.id && isWanted) return id;
    }
    return `${source.id}-nowhere`;
  }

  /** One in twenty asks for more than there may be. */
  #amountMinor(): number {
    const bound = this.#chance.below(20) === 0 ? 3 * FUNDS_MINOR : USUAL_MINOR_MAX;
    return 1 + this.#chance.below(bound);
  }
}
