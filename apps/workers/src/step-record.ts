import type { Envelope } from '@surety/contracts';
import { traceIdOf } from '@surety/runtime';
import type { Logger, Metrics } from '@surety/runtime';
import type { StepResult } from '@surety/saga';
import { workerStepOf } from './worker-steps.js';

/** The step's name in metrics and logs: what was done, as design and docs call it. */
function stepNameOf(event: Envelope): string {
  switch (event.type) {
    case 'requested':
      return 'request';
    case 'held':
      return 'hold';
    case 'credited':
    case 'refused':
      return 'credit';
    case 'voided':
      return 'void';
    case 'committed':
      return 'commit';
    case 'cancelled':
      return 'release';
    case 'rejected':
      return event.step === 20 ? 'hold' : 'release';
    default:
      return event.type satisfies never;
  }
}

function isEnd({ type }: Envelope): boolean {
  return type === 'committed' || type === 'rejected' || type === 'cancelled';
}

function secondsSince(time: string, nowMs: number): number {
  // Written by another machine's clock: it may be ahead of this one.
  return Math.max(0, nowMs - Date.parse(time)) / 1000;
}

export interface StepRecordOptions {
  readonly shard: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Tells metrics and log what a committed transaction did. Decides nothing. */
export class StepRecord {
  readonly #options: StepRecordOptions;

  constructor(options: StepRecordOptions) {
    this.#options = options;
  }

  committed(causes: readonly Envelope[], results: readonly StepResult[]): void {
    this.#options.metrics.batchItems.observe({ unit: 'worker' }, causes.length);
    const nowMs = Date.now();
    causes.forEach((cause, at) => {
      this.#record(cause, results[at] as StepResult, nowMs);
    });
  }

  #record(cause: Envelope, result: StepResult, nowMs: number): void {
    switch (result.kind) {
      case 'applied':
        this.#applied(cause, result.events, nowMs);
        return;
      case 'already_applied':
        this.#count(workerStepOf(cause) ?? cause.type, 'already_applied');
        return;
      case 'alarm':
        this.#alarm(cause, result.alarm);
        return;
      default:
        result satisfies never;
    }
  }

  #applied(cause: Envelope, events: readonly Envelope[], nowMs: number): void {
    const { metrics, log } = this.#options;
    let previous = cause;
    for (const event of events) {
      const step = stepNameOf(event);
      this.#count(step, event.type);
      metrics.stepSeconds.observe({ step }, secondsSince(previous.occurredAt, nowMs));
      if (isEnd(event)) {
        const seconds = secondsSince(event.requestedAt, nowMs);
        metrics.endToEndSeconds.observe({ outcome: event.type }, seconds);
      }
      if (log.isDebugEnabled()) log.debug('step taken', this.#fields(event));
      previous = event;
    }
  }

  /** A state that no legal history leads to: nothing was changed, a person must look. */
  #alarm(cause: Envelope, alarm: string): void {
    const { metrics, log, shard } = this.#options;
    this.#count(workerStepOf(cause) ?? cause.type, 'alarm');
    metrics.errorsTotal.inc({ kind: `alarm:${alarm}`, shard });
    log.error('invariant alarm: an event does not fit its transfer', {
      ...this.#fields(cause),
      alarm,
    });
  }

  #count(step: string, outcome: string): void {
    const { metrics, shard } = this.#options;
    metrics.stepsTotal.inc({ step, outcome, shard });
  }

  #fields(event: Envelope): Record<string, unknown> {
    const { transferId, type, step, traceparent } = event;
    return { transferId, traceId: traceIdOf(traceparent), type, step, shard: this.#options.shard };
  }
}
