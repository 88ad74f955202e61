import { TOPICS } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';

/** The steps as they are shared out among processes; settle is commit and release. */
export const WORKER_STEPS = ['hold', 'credit', 'settle'] as const;
export type WorkerStep = (typeof WORKER_STEPS)[number];

/** The step that an event asks for, or undefined where it only tells. */
export function workerStepOf(envelope: Pick<Envelope, 'type'>): WorkerStep | undefined {
  switch (envelope.type) {
    case 'requested':
      return 'hold';
    case 'held':
      return 'credit';
    case 'credited':
    case 'refused':
    case 'voided':
      return 'settle';
    case 'committed':
    case 'rejected':
    case 'cancelled':
      return undefined;
    default:
      return envelope.type satisfies never;
  }
}

export function runsEveryStep(steps: readonly WorkerStep[]): boolean {
  return WORKER_STEPS.every((step) => steps.includes(step));
}

/**
 * The consumer group of processes that run these steps. A group reads a message once, so processes
 * that pass over some steps must not share one with processes that are there for them.
 */
export function groupIdOf(steps: readonly WorkerStep[]): string {
  const base = 'surety-workers';
  return runsEveryStep(steps) ? base : [base, ...[...steps].sort()].join('-');
}

/** The topics on which orders for these steps arrive. */
export function topicsOf(steps: readonly WorkerStep[]): readonly string[] {
  return [
    ...(steps.includes('hold') || steps.includes('settle') ? [TOPICS.toSource] : []),
    ...(steps.includes('credit') ? [TOPICS.toDestination] : []),
  ];
}
