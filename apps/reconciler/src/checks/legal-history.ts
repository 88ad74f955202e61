import type { Decision, TransferEventType, TransferKind, TransferStatus } from '@surety/domain';

/** Types of a transfer's own events by step, as they lie on its source's shard. */
export type EventTypes = ReadonlyMap<number, TransferEventType>;

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
  return OWN_STEPS.flatMap((step) => events.get(step) ?? []).join('>');
}

export function isLegalHistory({ kind, state, events }: TransferFacts): boolean {
  const path = pathOf(events);
  if (kind === 'funding') return state === 'committed' && path === FUNDING_PATH;
  return PATHS[state].includes(path);
}

/** The version that a projection of this transfer reaches: its last own step. */
export function lastOwnStep(events: EventTypes): number {
  return OWN_STEPS.filter((step) => events.has(step)).at(-1) ?? 0;
}

/**
 * What is wrong between a transfer and the decision on its destination's shard, seen at the same
 * instant; undefined where they agree.
 */
export function decisionFault(
  { kind, state, events }: TransferFacts,
  decision: Decision | undefined,
): string | undefined {
  const outcome = decision?.outcome;
  if (kind === 'funding') return outcome ? 'funding has a decision' : undefined;
  const wasHeld = events.get(20) === 'held';
  switch (state) {
    case 'requested':
      return noneOrVoided(outcome) ? undefined : 'decided before it was held';
    case 'held':
      return undefined;
    case 'committed':
      return outcome === 'credited' ? undefined : 'committed without being credited';
    case 'rejected':
      if (wasHeld) return outcome === 'refused' ? undefined : 'released without being refused';
      return noneOrVoided(outcome) ? undefined : 'rejected at the source, yet decided';
    case 'cancelled':
      return outcome === 'voided' ? undefined : 'cancelled without being voided';
    default:
      return state satisfies never;
  }
}

function noneOrVoided(outcome: Decision['outcome'] | undefined): boolean {
  return outcome === undefined || outcome === 'voided';
}
