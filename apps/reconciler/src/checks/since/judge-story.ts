import { STEP, isEnded, transitAccountId } from '@surety/domain';
import type { RecordedLeg } from '@surety/db';
import type { DecisionRow, TransferRow } from '@surety/saga';
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

function judgeState(story: TransferStory, transfer: TransferRow): Fault[] {
  const { id, events, decision, isListedAsOpen } = story;
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
  if (isEnded(state) === isListedAsOpen) {
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

function judgeTerms(decision: DecisionRow, transfer: TransferRow | undefined): Fault[] {
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
function judgeTold({ id, transfer, decision, events, told }: TransferStory): Fault[] {
  return [...told].flatMap(([step, terms]): Fault[] => {
    const row = step === STEP.decide ? decision : transfer;
    if (!row) return [];
    const must = `${row.amountMinor} ${row.currency} ${row.source} ${row.destination}`;
    if (terms === must) return [];
    return [
      {
        ...{ check: 'histories', key: `event ${id}/${step}` },
        problem: 'tells other terms than the row that it made',
        detail: { event: events.get(step) ?? null, told: terms, row: must },
      },
    ];
  });
}

/** Own events of a transfer that does not exist. */
function judgeOrphan({ id, events }: TransferStory): Fault[] {
  return [...events]
    .filter(([step]) => step !== STEP.decide)
    .map(([step, event]) => ({
      ...{ check: 'histories', key: `event ${id}/${step}` },
      problem: 'has not the row that it made',
      detail: { event, row: null },
    }));
}

function judgeLegs({ id, transfer, decision, legs }: TransferStory): Fault[] {
  const expected = expectedLegs(transfer, decision);
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

type LegText = Pick<RecordedLeg, 'step' | 'account' | 'slot' | 'minor' | 'currency'>;

export function legText({ step, account, slot, minor, currency }: LegText): string {
  return `${step}:${account}@${slot}:${minor}${currency}`;
}

/** The legs that a credit and a commit, or a funding, leave behind: nothing else posts. */
export function expectedLegs(
  transfer: TransferRow | undefined,
  decision: DecisionRow | undefined,
): string[] {
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
  return legs.map(legText);
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
