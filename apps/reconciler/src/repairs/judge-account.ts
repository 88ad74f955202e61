import type { Account } from '@surety/domain';
import type { AccountCorrection, AccountEvidence, HoldsEvidence, LegsEvidence } from '@surety/db';
import { SOUND, refused } from './verdict.js';
import type { Verdict } from './verdict.js';

/** Said of an account whose holds are to be set right first. */
export const HOLDS_DISAGREE = 'its holds do not agree with its held transfers and their events';

/**
 * The ledger is the truth about a balance, where it is sound by itself: numbered from 1 to entry_seq
 * without a gap, each leg the one before plus its amount, each witnessed by the event of its step and
 * by its decision or transfer. The holds are the truth about what is held, where each is that of a held
 * transfer.
 */
export function judgeAccount({
  account,
  legs,
  holds,
}: AccountEvidence): Verdict<AccountCorrection> {
  if (!account) return refused('the account has no row: nothing says what it was');
  const unsound = ledgerFault(account, legs);
  if (unsound) {
    return refused(`its ledger is not sound (${unsound}): surety verify names the entry`);
  }
  const balance = legs.sumMinor;
  const held = holds.sumMinor;
  if (account.balance === balance && account.held === held) return SOUND;
  const inDoubt = doHoldsDisagree(holds);
  if (inDoubt && account.balance === balance) return refused(HOLDS_DISAGREE);
  const correction = { balance, held: inDoubt ? account.held : held };
  return {
    kind: 'correct',
    correction,
    before: valuesOf(account),
    after: valuesOf({ ...correction, version: account.version + 1n }),
  };
}

function valuesOf({ balance, held, version }: Pick<Account, 'balance' | 'held' | 'version'>) {
  return {
    balance: balance.toString(),
    held: held.toString(),
    version: version.toString(),
  };
}

function doHoldsDisagree({ strange, missing }: HoldsEvidence): boolean {
  return strange > 0 || missing > 0;
}

function ledgerFault(account: Account, legs: LegsEvidence): string | undefined {
  return numberingFault(account, legs) ?? entryFault(account, legs);
}

function numberingFault({ entrySeq }: Account, legs: LegsEvidence): string | undefined {
  if (legs.legs !== entrySeq) {
    return `${legs.legs} entries, and the account has made ${entrySeq}`;
  }
  if (legs.distinctEntrySeqs !== legs.legs) return 'two entries have one number';
  if (legs.legs > 0n && (legs.firstEntrySeq !== 1n || legs.lastEntrySeq !== legs.legs)) {
    return 'entries are missing';
  }
  return undefined;
}

function entryFault({ currency }: Account, legs: LegsEvidence): string | undefined {
  if (legs.brokenEntrySeq !== null) {
    return `entry ${legs.brokenEntrySeq} is not the one before plus its amount`;
  }
  if (legs.unwitnessedEntrySeq !== null) {
    return `entry ${legs.unwitnessedEntrySeq} has no event that says the same`;
  }
  if (legs.legs > 0n && legs.currency !== currency) {
    return `its entries are in ${legs.currency ?? 'several currencies'}`;
  }
  return undefined;
}
