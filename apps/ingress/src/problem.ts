import { PROBLEMS, problemDocument, retryAfterSecondsOf } from '@surety/contracts';
import type { FieldError, ProblemCode, ProblemDocument, ProblemFields } from '@surety/contracts';
import { BatcherStoppedError, QueueFullError } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import { problemAnswer } from './answer.js';
import type { Answer } from './answer.js';

/** A document names this many faults at most; a body of nothing but unknown fields has thousands. */
const ERRORS_MAX = 32;

/** Thrown where a request cannot be served; becomes the problem document of its code. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly fields: ProblemFields;

  constructor(
    code: ProblemCode,
    { cause, ...fields }: ProblemFields & { readonly cause?: unknown } = {},
  ) {
    super(PROBLEMS[code].title, { cause });
    this.code = code;
    const { errors } = fields;
    this.fields =
      errors === undefined ? fields : { ...fields, errors: errors.slice(0, ERRORS_MAX) };
  }
}

export function invalidRequest(errors: readonly FieldError[]): Problem {
  return new Problem('invalid-request', { errors });
}

/** The shard does not answer, or its breaker keeps requests from waiting for it. */
export class ShardUnavailable extends Error {
  override readonly name = 'ShardUnavailable';
  readonly shard: number;

  constructor(shard: number, options: { cause?: unknown } = {}) {
    super(`shard ${shard} is unavailable`, options);
    this.shard = shard;
  }
}

/**
 * The shard answers, and has other decimals of a currency than this process: whatever it says of
 * money would be told wrongly, and so would a copy of it.
 */
export class ShardContradicts extends ShardUnavailable {}

/** What a failed handler is answered with; the answer to an unforeseen error tells nothing of it. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof QueueFullError) return new Problem('overloaded', { cause: error });
  if (error instanceof BatcherStoppedError) return new Problem('stopping', { cause: error });
  if (error instanceof ShardUnavailable) return new Problem('shard-unavailable', { cause: error });
  if (error instanceof StoreError && error.kind !== 'data') {
    return new Problem('shard-unavailable', { cause: error });
  }
  // The router gives up on percent escapes that are no UTF-8: there is no such address.
  if (error instanceof URIError) return new Problem('route-not-found');
  return new Problem('internal-error', { cause: error });
}

/**
 * For whoever is turned away at the door. Made once, with its stack: at full load half of all requests
 * end here, and each error made costs as much as the answer.
 */
export const TURNED_AWAY = new Problem('overloaded', {
  cause: new QueueFullError('too many wait to be let in'),
});

export function documentOfProblem({ code, fields }: Problem): ProblemDocument {
  return problemDocument(code, fields);
}

export function answerOfProblem(problem: Problem, headers?: Record<string, string>): Answer {
  const document = documentOfProblem(problem);
  const retryAfterSeconds = retryAfterSecondsOf(problem.code);
  return problemAnswer(document, {
    ...headers,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  });
}
