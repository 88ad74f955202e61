import type { CancelAnswer } from '@surety/contracts';
import { readTimeline } from '@surety/db';
import { InvariantViolation } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { cancelTransfer } from '@surety/saga';
import type { CancelPorts, CancelResult } from '@surety/saga';
import { jsonAnswer } from './answer.js';
import type { Answer } from './answer.js';
import { ACTOR, transferIdOf } from './exchange.js';
import type { Exchange, Handler } from './exchange.js';
import { findIdempotencyKey } from './idempotency-key.js';
import { parseCancelBody } from './parse-body.js';
import { Problem } from './problem.js';
import { hasBody, readJson } from './read-json.js';
import type { ShardDoors } from './shard-doors.js';

export interface PostCancelDependencies {
  readonly doors: ShardDoors;
}

/**
 * Cancels a transfer that its destination has not decided yet. The answer is always the end of the
 * transfer, and the end does not change: a repeat gives the same answer without a stored key.
 */
export function postCancel({ doors }: PostCancelDependencies): Handler {
  const ports = portsOf(doors);
  return async (exchange) => {
    const transferId = transferIdOf(exchange);
    await checkRequest(exchange);
    const request = { transferId, reason: 'cancelled_by_client', actor: ACTOR } as const;
    return answerOf(transferId, await cancelTransfer(ports, request));
  };
}

function portsOf(doors: ShardDoors): CancelPorts {
  return {
    events: (slot, id) => doors.readWhole(slot, (shard) => readTimeline(shard, id)),
    void: (request) => doors.voidTransfer(request),
    follow: (decided) => doors.followDecision(decided),
  };
}

/** A body is not needed; where one comes, it and the key are held to the rules of every request. */
async function checkRequest({ request }: Exchange): Promise<void> {
  const body = hasBody(request) ? parseCancelBody(await readJson(request)) : {};
  findIdempotencyKey(request, body.idempotencyKey);
}

function answerOf(transactionId: TransferId, result: CancelResult): Answer {
  if (result.kind === 'not_found') throw new Problem('transfer-not-found');
  if (result.kind === 'alarm') {
    throw new InvariantViolation(`the end of ${transactionId} met ${result.alarm}`);
  }
  const { status, reason, updatedAt } = result;
  if (status !== 'cancelled' || reason === undefined) {
    const why = reason === undefined ? {} : { reason };
    throw new Problem('transfer-not-cancellable', { state: status, ...why });
  }
  const answer: CancelAnswer = { transactionId, status, reason, updatedAt };
  return jsonAnswer(200, answer);
}
