import { STEP, isEnded, transitAccountId } from '@surety/domain';
import type { ComparedTransfer, RecordedLeg } from '@surety/db';
import type { DecisionRow } from '@surety/saga';
import { creditFault } from '../credits.js';
import { decisionFault, isLegalHistory, pathOf } from '../legal-history.js';
import type { Finding } from '../types.js';
import type { TransferStory } from './story.js';

/** What is wrong about a transfer, and which check says so. */
export interface Fault extends Omit<Finding, 'shard'> {
  readonly check: 'histories' | 'decisions' | 'credits' | 'step-legs' | 'open-transfers';
}

/**
 * All that can be wrong between the rows about one transfer, seen at the same instant. That its money
 * moved as its states say, leg by leg, makes every sum over transfers come out right: conservation
 * and transit need no look at what was verified before.
 */
export function judgeStory(story: TransferStory): readonly Fault[] {
  const { transfer } = story;
  const faults = [...judgeDecision(story), ...judgeTold(story), ...judgeLegs(story)];
  if (!transfer) return [...faults, ...judgeOrphan(story)];
  return [...judgeState(story, transfer), ...faults];
}

function judgeState(story: TransferStory, transfer: ComparedTransfer): Fault[] {
  const { id, events, decision, isListedAsOpen, isListedWhileOpen } = story;
  const { kind, state } = transfer;
  const key = `transfer ${id}`;
  const faults: Fault[] = [];
  if (!isLegalHistory({ kind, state, events })) {
    faults.push({
      ...{ check: 'histories', key, problem: 'state contradicts its events' },
      detail: { kind, state, events: pathOf(events) },
    });
  }
  const problem = decisionFault({ kind, state, events }, decision?.decision);
  if (problem) {
    faults.push({
      ...{ check: 'decisions', key, problem },
      detail: {
        state,
        decision: decision?.decision.outcome ?? null,
        destination: transfer.destination,
      },
    });
  }
  if (isListedAsOpen !== (isListedWhileOpen && !isEnded(state))) {
    faults.push({
      ...{ check: 'open-transfers', key },
      problem: isListedAsOpen ? 'is listed as open in error' : 'is open and not listed',
      detail: { state },
    });
  }
  return faults;
}

function judgeDecision(story: TransferStory): Fault[] {
  const { id, transfer, events, decision } = story;
  const event = events.get(STEP.decide) ?? null;
  const outcome = decision?.decision.outcome ?? null;
  const faults = decision ? judgeTerms(decision, transfer) : [];
  if (event === outcome) return faults;
  const problem = event === null ? 'is missing' : 'has not the row that it made';
  const key = `event ${id}/${STEP.decide}`;
  return [...faults, { check: 'histories', key, problem, detail: { event, row: outcome } }];
}

function judgeTerms(decision: DecisionRow, transfer: ComparedTransfer | undefined): Fault[] {
  const problem = creditFault(decision, transfer);
  if (!problem) return [];
  return [
    {
      ...{ check: 'credits', key: `decision ${decision.transferId}`, problem },
      detail: {
        decision: decision.decision.outcome,
        amount: decision.amountMinor.toString(),
        state: transfer?.state ?? null,
        transferAmount: transfer?.amountMinor.toString() ?? null,
      },
    },
  ];
}

/** Each event tells the terms of the row that it made; one without its row is told of already. */
function judgeTold({ id, transfer, decision, events }: TransferStory): Fault[] {
  const faults: Fault[] = [];
  const own = transfer && termsOf(transfer);
  const decided = decision && termsOf(decision);
  for (const { step, type, told } of events.list) {
    const must = step === STEP.decide ? decided : own;
    if (must === undefined || told === must) continue;
    faults.push({
      ...{ check: 'histories', key: `event ${id}/${step}` },
      problem: 'tells other terms than the row that it made',
      detail: { event: type, told, row: must },
    });
  }
  return faults;
}

function termsOf({
  amountMinor,
  currency,
  source,
  destination,
}: ComparedTransfer | DecisionRow): string {
  return `${amountMinor} ${currency} ${source} ${destination}`;
}

/** Own events of a transfer that does not exist. */
function judgeOrphan({ id, events }: TransferStory): Fault[] {
  return events.list
    .filter(({ step }) => step !== STEP.decide)
    .map(({ step, type }) => ({
      ...{ check: 'histories', key: `event ${id}/${step}` },
      problem: 'has not the row that it made',
      detail: { event: type, row: null },
    }));
}

function judgeLegs({ id, transfer, decision, legs }: TransferStory): Fault[] {
  const rows = expectedRows(transfer, decision);
  if (areSame(rows, legs)) return [];
  const expected = rows.map(legText);
  const actual = legs.map(legText);
  const missing = without(expected, actual);
  const unexpected = without(actual, expected);
  if (missing.length === 0 && unexpected.length === 0) return [];
  return [
    {
      ...{ check: 'step-legs', key: `transfer ${id}` },
      problem: 'legs are not those that its steps made',
      detail: { missing: missing.join(' ') || null, unexpected: unexpected.join(' ') || null },
    },
  ];
}

/** One on a customer's account, one on a system account. */
const LEGS_OF_A_STEP = 2;

type LegText = Pick<RecordedLeg, 'step' | 'account' | 'slot' | 'minor' | 'currency'>;

export function legText({ step, account, slot, minor, currency }: LegText): string {
  return `${step}:${account}@${slot}:${minor}${currency}`;
}

/** The legs that a credit and a commit, or a funding, leave behind: nothing else posts. */
export function expectedLegs(
  transfer: ComparedTransfer | undefined,
  decision: DecisionRow | undefined,
): string[] {
  return expectedRows(transfer, decision).map(legText);
}

function expectedRows(
  transfer: ComparedTransfer | undefined,
  decision: DecisionRow | undefined,
): readonly LegText[] {
  const legs: LegText[] = [];
  if (decision?.decision.outcome === 'credited') {
    const { slot, currency, amountMinor: minor, destination } = decision;
    const step = STEP.decide;
    legs.push(
      { step, account: destination, slot, minor, currency },
      { step, account: transitAccountId(slot, currency), slot, minor: -minor, currency },
    );
  }
  if (transfer?.state === 'committed') {
    const { kind, slot, currency, amountMinor: minor, source } = transfer;
    const step = STEP.end;
    const to = kind === 'funding' ? transfer.destination : transitAccountId(slot, currency);
    legs.push(
      { step, account: source, slot, minor: -minor, currency },
      { step, account: to, slot, minor, currency },
    );
  }
  return legs;
}

/**
 * Whether the legs are the expected ones, in the order of their steps or, where the source's shard was
 * read first, with those of the end before those of the decision. Nearly always they are, and then
 * nothing has to be put into words; others are compared as texts in any order.
 */
function areSame(expected: readonly LegText[], legs: readonly LegText[]): boolean {
  if (expected.length !== legs.length) return false;
  const offset = legs[0]?.step === expected[0]?.step ? 0 : LEGS_OF_A_STEP;
  return expected.every((leg, at) => isSameLeg(leg, legs[(at + offset) % legs.length]));
}

function isSameLeg(a: LegText, b: LegText | undefined): boolean {
  return (
    a.account === b?.account &&
    a.minor === b.minor &&
    a.step === b.step &&
    a.slot === b.slot &&
    a.currency === b.currency
  );
}

/** What is in one list more often than in the other. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const rest = [...other];
  return list.filter((text) => {
    const at = rest.indexOf(text);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}
