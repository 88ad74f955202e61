import { createHash } from 'node:crypto';
import type { Chance } from '../../e2e/chance.js';
import type { KeyedWish, TransferWish } from './journaled-client.js';

/** Currencies of the accounts and how many decimals they have. */
const DECIMALS: Readonly<Record<string, number>> = { EUR: 2, JPY: 0, KWD: 3 };

export interface ChaosAccount {
  readonly id: string;
  readonly currency: string;
}

/** A member of a batch, and what it is there for. */
export type MemberWish = KeyedWish &
  (
    | { readonly role: 'new' }
    /** The request of an earlier transfer, or of another member, once more. */
    | { readonly role: 'repeated' }
    /** Another request under the key of an earlier transfer. */
    | { readonly role: 'used key' }
    /** What was meant may still be asked for under the same key. */
    | { readonly role: 'bad request'; readonly meant: TransferWish }
  );

const OTHER_CURRENCY_EVERY = 10;
const HOT_ACCOUNTS = 4;
const FUNDS_MINOR = 100_000;
const USUAL_MINOR_MAX = 5_000;
/** With one member of each other role a batch has 40 at most. */
const NEW_MEMBERS_MAX = 37;
const NEW_MEMBERS_USUAL_MAX = 8;

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
    return this.#transferFrom(this.#account(), description);
  }

  /**
   * Mostly few members, sometimes many, sometimes all from one account; among them now and then a
   * repeated one, one under a used key, and a bad request.
   */
  batch(newKey: () => string, earlier: readonly KeyedWish[]): MemberWish[] {
    const payer = this.#oneIn(4) ? this.#account() : undefined;
    const newMember = (): MemberWish => {
      const key = newKey();
      return { key, wish: this.#transferFrom(payer ?? this.#account(), key), role: 'new' };
    };
    const most = this.#oneIn(4) ? NEW_MEMBERS_MAX : NEW_MEMBERS_USUAL_MAX;
    const members = Array.from({ length: 2 + this.#chance.below(most - 1) }, newMember);
    const first = this.#anyOf(earlier);
    if (this.#oneIn(4)) {
      const again = (this.#oneIn(3) ? undefined : first) ?? this.#anyOf(members)!;
      this.#putAmong(members, { key: again.key, wish: again.wish, role: 'repeated' });
    }
    if (this.#oneIn(4) && first) this.#putAmong(members, underUsedKey(first));
    if (this.#oneIn(4)) this.#putAmong(members, this.#spoilt(newMember()));
    return members;
  }

  #putAmong(members: MemberWish[], member: MemberWish): void {
    members.splice(this.#chance.below(members.length + 1), 0, member);
  }

  #spoilt({ key, wish: meant }: KeyedWish): MemberWish {
    const faults = [{ amount: '-1' }, { amount: '0' }, { destinationAccount: meant.sourceAccount }];
    const description = `${key} as a bad request`;
    const wish = { ...meant, ...this.#anyOf(faults), description };
    return { key, wish, role: 'bad request', meant };
  }

  #transferFrom(source: ChaosAccount, description: string): TransferWish {
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

  #oneIn(bound: number): boolean {
    return this.#chance.below(bound) === 0;
  }

  #anyOf<One>(all: readonly One[]): One | undefined {
    return all.length === 0 ? undefined : all[this.#chance.below(all.length)];
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

/** From the same account: of another slot the key would be another one. */
function underUsedKey({ key, wish }: KeyedWish): MemberWish {
  const description = `${key} used again in a batch`;
  return { key, wish: { ...wish, description }, role: 'used key' };
}
