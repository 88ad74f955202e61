import { decodeMessage, encodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { STEP, isEnded, slotOfTransferId } from '@surety/domain';
import type { TransferKind, TransferStatus } from '@surety/domain';
import type { EventEvidence, TransferCorrection, TransferEvidence } from '@surety/db';
import type { DecisionRow, HoldRow, TransferRow } from '@surety/saga';
import { addMs } from '@surety/saga';
import { creditFault } from '../checks/credits.js';
import { decisionFault, isLegalHistory, pathOf } from '../checks/legal-history.js';
import { expectedLegs, legText } from '../checks/since/judge-story.js';
import { SOUND, refused } from './verdict.js';
import type { Values, Verdict } from './verdict.js';

const STATES: readonly TransferStatus[] = [
  ...(['requested', 'held', 'committed', 'rejected', 'cancelled'] as const),
];

export interface TransferCase extends TransferEvidence {
  /** What stands on the destination's shard. */
  readonly decision: DecisionRow | undefined;
  /** A hold that is made again gets this much time from its event on. Milliseconds. */
  readonly holdTimeoutMs: number;
}

/**
 * The events are the truth about a transfer, where they form a legal path, tell the terms of its row,
 * and agree with the decision and with the legs. Then its state, its hold and its place among the open
 * ones follow from them; else nothing does.
 */
export function judgeTransfer(found: TransferCase): Verdict<TransferCorrection> {
  const { transfer } = found;
  if (!transfer) return refused('the transfer has no row: nothing says what it was');
  const envelopes = readOwnEvents(transfer, found.events);
  if (typeof envelopes === 'string') return refused(envelopes);
  const types = new Map(envelopes.map((envelope) => [envelope.step, envelope.type]));
  const state = stateAfter(transfer.kind, types);
  if (!state) return refused(`its events are no legal path: ${pathOf(types) || 'none'}`);
  const right = { ...transfer, state, reason: envelopes.at(-1)?.data.reason ?? null };
  const objection = objectionTo(right, found, types);
  if (objection) return refused(`its events say ${state}, and ${objection}`);
  return differences(transfer, right, found);
}

/** The own events in the order of their steps, or why they cannot be believed. */
function readOwnEvents(
  transfer: TransferRow,
  events: readonly EventEvidence[],
): readonly Envelope[] | string {
  const own = events.filter(({ step }) => step !== STEP.decide);
  if (own.length === 0) return 'it has no events: nothing says what it was';
  const decoded = decodeMessage(encodeMessage(own.map(({ envelope }) => envelope)));
  if (decoded.kind === 'unknown_schema') return 'a newer release has written its events';
  if (decoded.kind === 'malformed') return `its events cannot be read: ${decoded.error}`;
  for (const [at, envelope] of decoded.events.entries()) {
    const { step, type } = own[at] as EventEvidence;
    if (envelope.id !== `${transfer.id}/${step}` || envelope.type !== type) {
      return `its event of step ${step} is about something else`;
    }
    if (!tellsTerms(envelope, transfer)) {
      return `its event of step ${step} tells other terms than its row`;
    }
  }
  return decoded.events;
}

function tellsTerms({ data, sourceSlot }: Envelope, transfer: TransferRow): boolean {
  return (
    data.kind === transfer.kind &&
    data.source === transfer.source &&
    data.destination === transfer.destination &&
    BigInt(data.amount) === transfer.amountMinor &&
    data.currency === transfer.currency &&
    sourceSlot === transfer.slot &&
    transfer.slot === slotOfTransferId(transfer.id)
  );
}

function stateAfter(
  kind: TransferKind,
  events: ReadonlyMap<Envelope['step'], Envelope['type']>,
): TransferStatus | undefined {
  return STATES.find((state) => isLegalHistory({ kind, state, events }));
}

/** What speaks against the state that the events lead to. */
function objectionTo(
  right: TransferRow,
  { decision, legs }: TransferCase,
  events: ReadonlyMap<Envelope['step'], Envelope['type']>,
): string | undefined {
  const { kind, state } = right;
  const fault = decisionFault({ kind, state, events }, decision?.decision);
  if (fault) return `with the decision that stands it was ${fault}`;
  const terms = decision && creditFault(decision, right);
  if (terms) return `its decision ${terms}`;
  const expected = expectedLegs(right, undefined).sort().join(' ');
  const actual = legs
    .filter(({ step }) => step === STEP.end)
    .map(legText)
    .sort()
    .join(' ');
  return expected === actual ? undefined : 'its legs are not those that this state has';
}

interface Differences {
  correction: TransferCorrection;
  before: Values;
  after: Values;
}

function differences(
  transfer: TransferRow,
  right: TransferRow,
  found: TransferCase,
): Verdict<TransferCorrection> {
  const all = [
    stateDifference(transfer, right),
    holdDifference(right, found),
    openDifference(right, found),
  ].filter((difference) => difference !== undefined);
  if (all.length === 0) return SOUND;
  const merged = all.reduce<Differences>(
    (sum, { correction, before, after }) => ({
      correction: { ...sum.correction, ...correction },
      before: { ...sum.before, ...before },
      after: { ...sum.after, ...after },
    }),
    { correction: {}, before: {}, after: {} },
  );
  return { kind: 'correct', ...merged };
}

function stateDifference(transfer: TransferRow, right: TransferRow): Differences | undefined {
  const { state, reason } = right;
  if (transfer.state === state && transfer.reason === reason) return undefined;
  return {
    correction: { state: { state, reason } },
    before: { state: transfer.state, reason: transfer.reason },
    after: { state, reason },
  };
}

function holdDifference(
  right: TransferRow,
  { hold, events, holdTimeoutMs }: TransferCase,
): Differences | undefined {
  if (right.state !== 'held') {
    if (!hold) return undefined;
    return { correction: { hold: null }, before: { hold: holdText(hold) }, after: { hold: null } };
  }
  const heldAt = events.find(({ step }) => step === STEP.hold)?.occurredAt as string;
  const must: HoldRow = {
    transferId: right.id,
    slot: right.slot,
    account: right.source,
    amountMinor: right.amountMinor,
    // The time only says when the destination is asked: it releases nothing.
    expiresAt: hold?.expiresAt ?? addMs(heldAt, holdTimeoutMs),
  };
  if (hold && holdText(hold) === holdText(must)) return undefined;
  return {
    correction: { hold: must },
    before: { hold: hold ? holdText(hold) : null },
    after: { hold: holdText(must) },
  };
}

function holdText({ slot, account, amountMinor, expiresAt }: HoldRow): string {
  return `${amountMinor} of ${account} in slot ${slot} until ${expiresAt}`;
}

function openDifference(
  right: TransferRow,
  { open, isListedWhileOpen }: TransferCase,
): Differences | undefined {
  const isListed = isListedWhileOpen && !isEnded(right.state);
  const must = isListed ? [{ slot: right.slot, since: right.requestedAt }] : [];
  const text = (rows: TransferEvidence['open']): string | null =>
    rows.map(({ slot, since }) => `slot ${slot} since ${since}`).join(', ') || null;
  if (text(open) === text(must)) return undefined;
  return {
    correction: { open: must[0] ?? null },
    before: { open: text(open) },
    after: { open: text(must) },
  };
}
