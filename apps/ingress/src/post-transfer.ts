import { acceptedTransfer } from './accepted-transfer.js';
import { jsonAnswer } from './answer.js';
import type { Handler } from './exchange.js';
import { requireIdempotencyKey } from './idempotency-key.js';
import type { KeyMemory } from './key-memory.js';
import { parseTransferBody } from './parse-body.js';
import { Problem, TURNED_AWAY } from './problem.js';
import { isPlainJson, parseJson, readBody } from './read-json.js';
import type { ShardDoors } from './shard-doors.js';
import { composeTransfer } from './transfer-request.js';
import type { ComposeMeans } from './transfer-request.js';

export interface PostTransferDependencies extends ComposeMeans {
  readonly doors: ShardDoors;
  readonly keyMemory: Pick<KeyMemory, 'remember' | 'rememberAll'>;
}

export const TRANSFERS_PATH = '/api/v1/transfers';

/**
 * Takes a transfer: the door judges shape only, everything about accounts and funds is the saga's
 * word. The 202 leaves after key, transfer, event and outbox row are committed.
 */
export function postTransfer(dependencies: PostTransferDependencies): Handler {
  const { doors, firstTransfers, keyMemory, currencies } = dependencies;
  const handler: Handler = async (exchange) => {
    const text = await readBody(exchange.request);
    if (doors.areCrowded('single')) throw TURNED_AWAY;
    const json = parseJson(text);
    // Before all that costs: checks, the fingerprint, a question to Redis.
    const destination = destinationOf(json);
    if (destination !== undefined && doors.isFull(destination, 'single')) throw TURNED_AWAY;
    const { request, traceparent } = exchange;
    const body = parseTransferBody(json, currencies);
    const key = requireIdempotencyKey(request, body.idempotencyKey);
    const transfer = await composeTransfer(body, { key, traceparent }, dependencies);
    const earlierUse = await keyMemory.remember(transfer.key);
    if (earlierUse === 'elsewhere') throw new Problem('idempotency-key-reused');
    exchange.transferId = transfer.transferId;
    const isKeyPresumedAbsent = earlierUse === 'none';
    const result = await doors.requestTransfer({ ...transfer, isKeyPresumedAbsent });
    if (result.kind === 'key_reused') throw new Problem('idempotency-key-reused');
    exchange.transferId = result.transferId;
    const { amount } = transfer;
    const answer = await acceptedTransfer(body, result, { firstTransfers, currencies, amount });
    return jsonAnswer(202, answer, {
      location: `${TRANSFERS_PATH}/${result.transferId}`,
      ...(result.kind === 'replayed' ? { 'idempotency-replayed': 'true' } : {}),
    });
  };
  const turnsAway: Handler['turnsAway'] = (request) =>
    doors.areCrowded('single') && isPlainJson(request);
  return Object.assign(handler, { turnsAway });
}

/** Where a body that is not checked yet says that money goes to. */
function destinationOf(json: unknown): string | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { destinationAccount } = json as { readonly destinationAccount?: unknown };
  return typeof destinationAccount === 'string' ? destinationAccount : undefined;
}
