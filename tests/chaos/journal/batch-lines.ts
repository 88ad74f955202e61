import type { JournalAnswer, JournalLine, Operation } from './journal.js';

/** A request that stands alone, whether it came alone or in a batch. */
export type SingleLine = JournalLine & { readonly op: Exclude<Operation, 'batch'> };

type Member = Readonly<Record<string, unknown>> & { readonly idempotencyKey: string };

/** Of the first line of a call: its request, or every member of its batch as if it had come alone. */
export function requestsIn(line: JournalLine): readonly SingleLine[] {
  if (line.op !== 'batch') return [line as SingleLine];
  const { transfers } = line.request as { readonly transfers: readonly Member[] };
  return transfers.map(({ idempotencyKey: key, ...request }) => ({
    ...{ ...line, op: 'submit', key, request },
  }));
}

/**
 * What each of so many requests of one call was told: a member of a batch its own result, in the
 * words in which it would have been told alone. Where there are no results, or not one for each, all
 * were told what was said of the whole.
 */
export function answersIn(answer: JournalAnswer, requests: number): readonly JournalAnswer[] {
  const results = 'body' in answer ? answer.body['results'] : undefined;
  if (!Array.isArray(results) || results.length !== requests) {
    return Array.from({ length: requests }, () => answer);
  }
  return results.map(answerOfMember);
}

/** A result without a status is no answer that any request may get. */
function answerOfMember(result: {
  readonly status?: unknown;
  readonly transfer?: Readonly<Record<string, unknown>>;
  readonly problem?: Readonly<Record<string, unknown>>;
}): JournalAnswer {
  const { status, transfer, problem } = result;
  return { status: typeof status === 'number' ? status : 0, body: transfer ?? problem ?? {} };
}
