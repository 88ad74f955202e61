import { retryAfterSecondsOf } from '@surety/contracts';
import type { TransferAcceptedAnswer, TransferBody } from '@surety/contracts';
import { IDEMPOTENCY_KEY } from '@surety/domain';
import type { RequestResult, TransferRequest } from '@surety/saga';
import { acceptedTransfer } from './accepted-transfer.js';
import { Problem, TURNED_AWAY, answerOfProblem, documentOfProblem, problemOf } from './problem.js';
import { jsonAnswer } from './answer.js';
import type { Answer } from './answer.js';
import type { Handler } from './exchange.js';
import { parseTransferBatch, parseTransferBody } from './parse-body.js';
import type { PostTransferDependencies } from './post-transfer.js';
import { BATCH_BYTES_MAX, parseJson, readBody } from './read-json.js';
import { composeTransfer } from './transfer-request.js';

/** A header stands for the request as a whole: it cannot be the key of any one member. */
const KEY_OF_MEMBER =
  'Give the member its own field idempotencyKey, so that a repeated request moves money once. ' +
  'A header does not count in a batch.';

type Result =
  | { readonly replayed: boolean; readonly transfer: TransferAcceptedAnswer }
  | { readonly problem: Problem };

/** A member of the list that may be tried, or what is wrong with it. */
type Candidate =
  | { readonly body: TransferBody; readonly request: TransferRequest }
  | { readonly problem: Problem };

/**
 * Takes up to a thousand transfers, each with its own key and its own result, in the order given.
 * They share a transaction per shard and nothing else: one that is refused does not touch the
 * others. All or nothing is not offered, because no transaction spans shards.
 */
export function postTransferBatch(dependencies: PostTransferDependencies): Handler {
  return async (exchange) => {
    const text = await readBody(exchange.request, BATCH_BYTES_MAX);
    if (dependencies.doors.areCrowded('batch')) throw TURNED_AWAY;
    const { traceparent } = exchange;
    const members = parseTransferBatch(parseJson(text));
    const composed = await Promise.all(
      members.map((member) => candidateOf(member, traceparent, dependencies)),
    );
    const candidates = await withEarlierUses(composed, dependencies);
    const outcomes = await outcomesOf(candidates, dependencies);
    const results = await Promise.all(
      candidates.map((candidate) => resultOf(candidate, outcomes, dependencies)),
    );
    exchange.memberProblems = results.flatMap((one) => ('problem' in one ? [one.problem] : []));
    return batchAnswer(results);
  };
}

async function candidateOf(
  member: unknown,
  traceparent: string,
  dependencies: PostTransferDependencies,
): Promise<Candidate> {
  try {
    const body = parseTransferBody(member, dependencies.currencies);
    const { idempotencyKey: key } = body;
    if (key === undefined) throw new Problem('idempotency-key-missing', { detail: KEY_OF_MEMBER });
    if (!IDEMPOTENCY_KEY.test(key)) throw new Problem('idempotency-key-invalid');
    return { body, request: await composeTransfer(body, { key, traceparent }, dependencies) };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

/** Refuses keys that were used for another slot, and marks those that nobody has used. */
async function withEarlierUses(
  candidates: readonly Candidate[],
  { keyMemory }: PostTransferDependencies,
): Promise<readonly Candidate[]> {
  const keys = candidates.flatMap((one) => ('request' in one ? [one.request.key] : []));
  const earlierUses = (await keyMemory.rememberAll(keys)).values();
  return candidates.map((candidate) => {
    if (!('request' in candidate)) return candidate;
    const earlierUse = earlierUses.next().value;
    if (earlierUse === 'elsewhere') return { problem: new Problem('idempotency-key-reused') };
    const isKeyPresumedAbsent = earlierUse === 'none';
    return { ...candidate, request: { ...candidate.request, isKeyPresumedAbsent } };
  });
}

type Outcomes = ReadonlyMap<TransferRequest, PromiseSettledResult<RequestResult>>;

async function outcomesOf(
  candidates: readonly Candidate[],
  { doors }: PostTransferDependencies,
): Promise<Outcomes> {
  const requests = candidates.flatMap((one) => ('request' in one ? [one.request] : []));
  const settled = await doors.requestTransfers(requests);
  return new Map(requests.map((request, at) => [request, settled[at] as (typeof settled)[number]]));
}

async function resultOf(
  candidate: Candidate,
  outcomes: Outcomes,
  { firstTransfers, currencies }: PostTransferDependencies,
): Promise<Result> {
  if ('problem' in candidate) return candidate;
  const { body, request } = candidate;
  const outcome = outcomes.get(request);
  if (outcome?.status !== 'fulfilled') return { problem: problemOf(outcome?.reason) };
  const { value: result } = outcome;
  if (result.kind === 'key_reused') return { problem: new Problem('idempotency-key-reused') };
  try {
    const { amount } = request;
    const transfer = await acceptedTransfer(body, result, { firstTransfers, currencies, amount });
    return { replayed: result.kind === 'replayed', transfer };
  } catch (error) {
    // It is stored; only the words for it could not be had. The same key gives them later.
    return { problem: problemOf(error) };
  }
}

/**
 * 200 with a result for each; where nothing at all could be taken for now, the problem itself, so
 * that a client that only looks at the status comes again later.
 */
function batchAnswer(results: readonly Result[]): Answer {
  const waits = results.map((result) =>
    'problem' in result ? (retryAfterSecondsOf(result.problem.code) ?? 0) : 0,
  );
  const [first] = results;
  if (first && 'problem' in first && waits.every((seconds) => seconds > 0)) {
    return answerOfProblem(new Problem(first.problem.code));
  }
  const longest = Math.max(...waits);
  const headers = longest > 0 ? { 'retry-after': String(longest) } : {};
  return jsonAnswer(200, { results: results.map(documentOf) }, headers);
}

function documentOf(result: Result): object {
  if (!('problem' in result)) return { status: 202, ...result };
  const problem = documentOfProblem(result.problem);
  return { status: problem.status, problem };
}
