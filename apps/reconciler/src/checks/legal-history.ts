import type { Decision, TransferEventType, TransferKind, TransferStatus } from '@surety/domain';

/** Types of a transfer's own events by step, as they lie on its source's shard. */
export type EventTypes = Pick<ReadonlyMap<number, TransferEventType>, 'get'>;

export interface TransferFacts {
  readonly kind: TransferKind;
  readonly state: TransferStatus;
  readonly events: EventTypes;
}

const OWN_STEPS = [10, 20, 40];

/**
 * The paths that lead to a state. Funding is requested and committed at once; only a transfer can be
 * held, and it can end from requested where it was cancelled before its hold.
 */
const PATHS: Readonly<Record<TransferStatus, readonly string[]>> = {
  requested: ['requested'],
  held: ['requested>held'],
  committed: ['requested>held>committed'],
  rejected: ['requested>rejected', 'requested>held>rejected'],
  cancelled: ['requested>cancelled', 'requested>held>cancelled'],
};
const FUNDING_PATH = 'requested>committed';

/** The source's own events in order: `requested>held>committed`. */
export function pathOf(events: EventTypes): string {
  let path = '';
  for (const step of OWN_STEPS) {
    const type = events.get(step);
    if (type !== undefined) path += path === '' ? type : `>${type}`;
  }
  return path;
}

export function isLegalHistory({ kind, state, events }: TransferFacts): boolean {
  const path = pathOf(events);
  if (kind === 'funding') return state === 'committed' && path === FUNDING_PATH;
  return PATHS[state].includes(path);
}

/** The version that a projection of this transfer reaches: its last own step. */
export function lastOwnStep(events: EventTypes): number {
  let last = 0;
  for (const step of OWN_STEPS) if (events.get(step) !== undefined) last = step;
  return last;
}

type OutcomeOrNone = Decision['outcome'] | 'none';

interface AllowedDecisions {
  readonly allowed: readonly OutcomeOrNone[];
  readonly problem: string;
}

/** What the destination may have said by the time the source has come to a state. */
const ALLOWED_DECISIONS: Readonly<Record<TransferStatus | 'released', AllowedDecisions>> = {
  requested: { allowed: ['none', 'voided'], problem: 'decided before it was held' },
  held: { allowed: ['none', 'credited', 'refused', 'voided'], problem: '' },
  committed: { allowed: ['credited'], problem: 'committed without being credited' },
  rejected: { allowed: ['none', 'voided'], problem: 'rejected at the source, yet decided' },
  released: { allowed: ['refused'], problem: 'released without being refused' },
  cancelled: { allowed: ['voided'], problem: 'cancelled without being voided' },
};
const FUNDING_DECISIONS: AllowedDecisions = {
  allowed: ['none'],
  problem: 'funding has a decision',
};

/**
 * What is wrong between a transfer and the decision on its destination's shard, seen at the same
 * instant; undefined where they agree.
 */
export function decisionFault(
  facts: TransferFacts,
  decision: Decision | undefined,
): string | undefined {
  const { allowed, problem } = allowedDecisions(facts);
  return allowed.includes(decision?.outcome ?? 'none') ? undefined : problem;
}

function allowedDecisions({ kind, state, events }: TransferFacts): AllowedDecisions {
  if (kind === 'funding') return FUNDING_DECISIONS;
  const isReleased = state === 'rejected' && events.get(20) === 'held';
  return ALLOWED_DECISIONS[isReleased ? 'released' : state];
}
