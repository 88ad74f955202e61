import { acceptedTransfer } from './accepted-transfer.js';
import type { FirstTransfers } from './accepted-transfer.js';
import { jsonAnswer } from './answer.js';
import type { Handler } from './exchange.js';
import { requireIdempotencyKey } from './idempotency-key.js';
import type { KeyMemory } from './key-memory.js';
import { parseTransferBody } from './parse-body.js';
import { Problem } from './problem.js';
import { parseJson, readBody } from './read-json.js';
import type { ShardDoors } from './shard-doors.js';
import { composeTransfer } from './transfer-request.js';
import type { ComposeMeans } from './transfer-request.js';

export interface PostTransferDependencies extends ComposeMeans {
  readonly doors: ShardDoors;
  readonly firstTransfers: FirstTransfers;
  readonly keyMemory: Pick<KeyMemory, 'belongsHere' | 'belongHere'>;
}

export const TRANSFERS_PATH = '/api/v1/transfers';

/**
 * Takes a transfer: the door judges shape only, everything about accounts and funds is the saga's
 * word. The 202 leaves after key, transfer, event and outbox row are committed.
 */
export function postTransfer(dependencies: PostTransferDependencies): Handler {
  const { doors, firstTransfers, keyMemory, currencies } = dependencies;
  return async (exchange) => {
    const text = await readBody(exchange.request);
    doors.turnAway();
    const { request, traceparent } = exchange;
    const body = parseTransferBody(parseJson(text), currencies);
    const key = requireIdempotencyKey(request.headers, body.idempotencyKey);
    const transfer = await composeTransfer(body, { key, traceparent }, dependencies);
    if (!(await keyMemory.belongsHere(transfer.key))) throw new Problem('idempotency-key-reused');
    exchange.transferId = transfer.transferId;
    const result = await doors.requestTransfer(transfer);
    if (result.kind === 'key_reused') throw new Problem('idempotency-key-reused');
    exchange.transferId = result.transferId;
    const { amount } = transfer;
    const answer = await acceptedTransfer(body, result, { firstTransfers, currencies, amount });
    return jsonAnswer(202, answer, {
      location: `${TRANSFERS_PATH}/${result.transferId}`,
      ...(result.kind === 'replayed' ? { 'idempotency-replayed': 'true' } : {}),
    });
  };
}
