import type { ProblemCode } from '@surety/contracts';
import { traceIdOf } from '@surety/runtime';
import type { Logger, Metrics } from '@surety/runtime';
import type { Exchange } from './exchange.js';
import type { Problem } from './problem.js';

/** A shard that is away turns thousands of requests away in a second; one line of each kind says so. */
const QUIET_MS = 1_000;

/** Writes down what went wrong on our side. What a client did wrong is only counted. */
export class FailureLog {
  private readonly log: Logger;
  private readonly metrics: Metrics;
  private readonly saidAtMs = new Map<ProblemCode, number>();
  private readonly unsaid = new Map<ProblemCode, number>();

  constructor(log: Logger, metrics: Metrics) {
    this.log = log;
    this.metrics = metrics;
  }

  record(problem: Problem, exchange: Exchange): void {
    const { code, cause } = problem;
    this.metrics.errorsTotal.inc({ kind: code, shard: '' });
    if (cause === undefined) return;
    if (code === 'internal-error') {
      this.log.error('a request failed', fieldsOf(problem, exchange));
    } else if (this.isQuiet(code)) {
      this.unsaid.set(code, (this.unsaid.get(code) ?? 0) + 1);
    } else {
      const unsaid = this.unsaid.get(code) ?? 0;
      this.unsaid.delete(code);
      this.log.warn('requests are turned away', { ...fieldsOf(problem, exchange), unsaid });
    }
  }

  private isQuiet(code: ProblemCode): boolean {
    const nowMs = performance.now();
    if (nowMs - (this.saidAtMs.get(code) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return true;
    this.saidAtMs.set(code, nowMs);
    return false;
  }
}

function fieldsOf({ code, cause }: Problem, { request, transferId, traceparent }: Exchange) {
  return {
    code,
    method: request.method,
    transferId,
    traceId: traceIdOf(traceparent),
    error: cause,
  };
}
