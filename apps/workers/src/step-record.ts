import type { Envelope } from '@surety/contracts';
import { traceIdOf } from '@surety/runtime';
import type { Logger, Metrics } from '@surety/runtime';
import { isActionable, stepNameOf } from '@surety/saga';
import type { StepResult } from '@surety/saga';
import { workerStepOf } from './worker-steps.js';

/** The seconds that have passed at one moment since others, of which a batch names few many times. */
class Moment {
  readonly #nowMs = Date.now();
  readonly #secondsSince = new Map<string, number>();

  secondsSince(time: string): number {
    const known = this.#secondsSince.get(time);
    if (known !== undefined) return known;
    // Written by another machine's clock: it may be ahead of this one.
    const seconds = Math.max(0, this.#nowMs - Date.parse(time)) / 1000;
    this.#secondsSince.set(time, seconds);
    return seconds;
  }
}

export interface StepRecordOptions {
  readonly shard: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

type Observer = ReturnType<Metrics['stepSeconds']['labels']>;

/**
 * Tells metrics and log what a committed transaction did. Decides nothing. It runs for every step, so
 * that labels are named once a process or once a batch, and the level of the log is asked for once.
 */
export class StepRecord {
  readonly #options: StepRecordOptions;
  readonly #tellsSteps: boolean;
  readonly #stepSeconds = new Map<string, Observer>();
  /** Steps of the batch at hand: how many had which outcome. */
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(options: StepRecordOptions) {
    this.#options = options;
    this.#tellsSteps = options.log.isDebugEnabled();
  }

  committed(causes: readonly Envelope[], results: readonly StepResult[]): void {
    this.#options.metrics.batchItems.observe({ unit: 'worker' }, causes.length);
    const moment = new Moment();
    causes.forEach((cause, at) => {
      this.#record(cause, results[at] as StepResult, moment);
    });
    this.#publishCounts();
  }

  #record(cause: Envelope, result: StepResult, moment: Moment): void {
    switch (result.kind) {
      case 'applied':
        this.#applied(cause, result.events, moment);
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

  #applied(cause: Envelope, events: readonly Envelope[], moment: Moment): void {
    const { metrics, log } = this.#options;
    let previous = cause;
    for (const event of events) {
      const step = stepNameOf(event);
      this.#count(step, event.type);
      this.#secondsOf(step).observe(moment.secondsSince(previous.occurredAt));
      if (!isActionable(event)) {
        const seconds = moment.secondsSince(event.requestedAt);
        metrics.endToEndSeconds.observe({ outcome: event.type }, seconds);
      }
      if (this.#tellsSteps) log.debug('step taken', this.#fields(event));
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

  #secondsOf(step: string): Observer {
    const known = this.#stepSeconds.get(step);
    if (known) return known;
    const observer = this.#options.metrics.stepSeconds.labels({ step });
    this.#stepSeconds.set(step, observer);
    return observer;
  }

  #count(step: string, outcome: string): void {
    const outcomes = this.#counts.get(step) ?? new Map<string, number>();
    this.#counts.set(step, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
  }

  #publishCounts(): void {
    const { metrics, shard } = this.#options;
    for (const [step, outcomes] of this.#counts) {
      for (const [outcome, count] of outcomes) {
        metrics.stepsTotal.inc({ step, outcome, shard }, count);
      }
      outcomes.clear();
    }
  }

  #fields(event: Envelope): Record<string, unknown> {
    const { transferId, type, step, traceparent } = event;
    return { transferId, traceId: traceIdOf(traceparent), type, step, shard: this.#options.shard };
  }
}
