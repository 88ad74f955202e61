import { externalAccountId, transitAccountId } from '@surety/domain';
import type { StepEntry, StoredLeg } from '@surety/db';
import { hashEntry } from './encoding.js';
import type { FindingFields } from './findings.js';
import { ownLeg } from './soundness.js';
import { isWitnessed } from './witness.js';
import type { EntryWitness } from './witness.js';

/**
 * What was done to an entry that is not what was sealed. Where a leg too many or too few of its step
 * explains it wholly, that leg is named; the seal's hash proves it.
 */
export function diagnose(entry: StepEntry, witness: EntryWitness): FindingFields {
  const { account, entrySeq } = entry;
  const { transferId, step } = witness;
  const about = { account, entrySeq, transferId, step };
  const added = entry.legs.find(
    (leg) => leg.leg !== entry.leg && isWitnessed(witness, hashEntry(without(entry, leg))),
  );
  if (added) {
    const problem = `leg ${added.leg} on ${added.account} was put into its step`;
    return { ...about, kind: 'inserted', subject: 'leg', problem, detail: legDetail(added) };
  }
  const lost = lostLegs(entry).find((leg) => isWitnessed(witness, hashEntry(withLeg(entry, leg))));
  if (lost) {
    const problem = `leg ${lost.leg} on ${lost.account} was taken out of its step`;
    return { ...about, kind: 'removed', subject: 'leg', problem, detail: legDetail(lost) };
  }
  const isOther = entry.transferId !== transferId || entry.step !== step;
  const problem = isOther
    ? 'the entry belongs to another step than the sealed one'
    : 'the entry or another leg of its step is not what was sealed';
  const now = isOther ? { nowTransfer: entry.transferId, nowStep: String(entry.step) } : {};
  return {
    ...about,
    kind: 'altered',
    subject: 'entry',
    problem,
    detail: { ...legsNow(entry), ...now },
  };
}

function without(entry: StepEntry, leg: StoredLeg): StepEntry {
  return { ...entry, legs: entry.legs.filter((one) => one !== leg) };
}

function withLeg(entry: StepEntry, leg: StoredLeg): StepEntry {
  return { ...entry, legs: [...entry.legs, leg].sort((a, b) => a.leg - b.leg) };
}

/** The other side of a step that has only the entry left: it was on one of two system accounts. */
function lostLegs(entry: StepEntry): StoredLeg[] {
  const own = ownLeg(entry);
  if (!own || entry.legs.length > 1) return [];
  const { slot, currency } = own;
  return [transitAccountId(slot, currency), externalAccountId(slot, currency)].map((account) => ({
    ...own,
    leg: own.leg === 0 ? 1 : 0,
    account,
    minor: -own.minor,
    entrySeq: null,
    balanceAfter: null,
  }));
}

function legDetail(leg: StoredLeg): Readonly<Record<string, string | null>> {
  return { account: leg.account, amount: leg.minor.toString(), currency: leg.currency };
}

/** The step as it lies there now. */
function legsNow(entry: StepEntry): Readonly<Record<string, string | null>> {
  const own = ownLeg(entry);
  const sum = entry.legs.reduce((total, { minor }) => total + minor, 0n);
  return {
    amount: own?.minor.toString() ?? null,
    balanceAfter: own?.balanceAfter?.toString() ?? null,
    legs: String(entry.legs.length),
    legsSum: sum.toString(),
  };
}
