import type { Account } from './account.js';
import type { CurrencyCode } from './currencies.js';
import { externalAccountId, transitAccountId } from './ids.js';
import type { AccountId, TransferId } from './ids.js';
import type { Step } from './steps.js';

/** One line of the ledger. Signed minor units: positive is credited to the account. */
export interface Leg {
  readonly transferId: TransferId;
  readonly step: Step;
  readonly account: AccountId;
  readonly slot: number;
  readonly currency: CurrencyCode;
  readonly minor: bigint;
  /** null for system accounts, which have no balance row and so no sequence. */
  readonly entrySeq: bigint | null;
  readonly balanceAfter: bigint | null;
}

/** Thrown where a promise would be broken by going on. Nobody handles it: the unit stops. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

export interface Posting {
  readonly transferId: TransferId;
  readonly step: Step;
  /** The account after the posting: its entrySeq and balance are what the leg records. */
  readonly after: Account;
  readonly signedMinor: bigint;
}

/**
 * The only way legs come to be: asserts that they are of one slot and currency and sum to zero
 * (conservation, promise 1).
 * @throws InvariantViolation
 */
export function balancedLegs(legs: readonly Leg[]): readonly Leg[] {
  const first = legs[0];
  if (!first || legs.length < 2) throw new InvariantViolation('legs come at least in pairs');
  let sum = 0n;
  for (const leg of legs) {
    if (leg.slot !== first.slot || leg.currency !== first.currency) {
      throw new InvariantViolation(`legs of ${leg.transferId}/${leg.step} mix slots or currencies`);
    }
    sum += leg.minor;
  }
  if (sum !== 0n) {
    throw new InvariantViolation(`legs of ${first.transferId}/${first.step} sum to ${sum}`);
  }
  return legs;
}

function accountLeg({ transferId, step, after, signedMinor }: Posting): Leg {
  return {
    transferId,
    step,
    account: after.id,
    slot: after.slot,
    currency: after.currency,
    minor: signedMinor,
    entrySeq: after.entrySeq,
    balanceAfter: after.balance,
  };
}

function counterLeg(leg: Leg, account: AccountId): Leg {
  return { ...leg, account, minor: -leg.minor, entrySeq: null, balanceAfter: null };
}

/** Legs of a credit (destination + / transit -) or a commit (source - / transit +). */
export function transitLegs(posting: Posting): readonly Leg[] {
  const leg = accountLeg(posting);
  return balancedLegs([leg, counterLeg(leg, transitAccountId(leg.slot, leg.currency))]);
}

/** Legs of a funding: the account against the external account of its own slot and currency. */
export function externalLegs(posting: Posting): readonly Leg[] {
  const leg = accountLeg(posting);
  return balancedLegs([leg, counterLeg(leg, externalAccountId(leg.slot, leg.currency))]);
}
