import { ENVELOPE_SCHEMA } from '@surety/contracts';
import type { Envelope, Timestamp } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import type { AccountId, Money, TransferId } from '@surety/domain';
import { ChangeSet } from './change-set.js';
import type { KeyRef, LoadRequest, ShardStore } from './ports.js';
import { addMs } from './time.js';

/** A key outlives every retry a client may reasonably make, and never its transfer. */
export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;

export interface TransferRequest {
  readonly key: KeyRef;
  readonly fingerprint: string;
  /** Composed by the door with the source's slot; it becomes the transfer's id if the key is new. */
  readonly transferId: TransferId;
  readonly tenant: string;
  readonly source: AccountId;
  readonly destination: AccountId;
  readonly amount: Money;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly traceparent: string | null;
  readonly actor: string;
  /**
   * True where there is reason to believe that the key was never used: then the row is not looked for
   * before it is inserted. Wrong, it costs the group one more attempt and changes no result.
   */
  readonly isKeyPresumedAbsent?: boolean;
}

export type RequestResult =
  /** Stored by this call, or by an earlier call with this very transfer id whose answer was lost. */
  | { readonly kind: 'accepted'; readonly transferId: TransferId; readonly requestedAt: Timestamp }
  /** The key had made a transfer before: the first answer again. */
  | { readonly kind: 'replayed'; readonly transferId: TransferId; readonly requestedAt: Timestamp }
  /** The key was used for something else. */
  | { readonly kind: 'key_reused' };

/**
 * The request step (10) for everything that has gathered for one shard: key, transfer, event and
 * outbox in one transaction, so that a claim without a transfer cannot exist. Safe to repeat as a
 * whole after an unknown outcome. Results come in the order of requests.
 * @throws StoreError
 */
export function requestTransfers(
  store: ShardStore,
  requests: readonly TransferRequest[],
): Promise<readonly RequestResult[]> {
  const load = loadOf(requests);
  return store.transact(load, (loaded) => {
    const set = new ChangeSet(loaded, load);
    const result = requests.map((request) => take(set, request));
    return { changes: set.finish(), result };
  });
}

function loadOf(requests: readonly TransferRequest[]): LoadRequest {
  const keys: KeyRef[] = [];
  const keysPresumedAbsent: KeyRef[] = [];
  for (const { key, isKeyPresumedAbsent } of requests) {
    (isKeyPresumedAbsent ? keysPresumedAbsent : keys).push(key);
  }
  return { keys, keysPresumedAbsent };
}

function take(set: ChangeSet, request: TransferRequest): RequestResult {
  const known = set.key(request.key);
  if (known) {
    if (known.fingerprint !== request.fingerprint || !known.transferId) {
      return { kind: 'key_reused' };
    }
    const kind = known.transferId === request.transferId ? 'accepted' : 'replayed';
    return { kind, transferId: known.transferId, requestedAt: known.createdAt };
  }
  const { now } = set;
  set.insertKey({
    ...request.key,
    fingerprint: request.fingerprint,
    transferId: request.transferId,
    answer: null,
    createdAt: now,
    expiresAt: addMs(now, KEY_LIFETIME_MS),
  });
  set.insertTransfer({
    id: request.transferId,
    slot: request.key.slot,
    kind: 'transfer',
    parentId: null,
    tenant: request.tenant,
    source: request.source,
    destination: request.destination,
    amountMinor: request.amount.minor,
    currency: request.amount.currency,
    capture: 'auto',
    state: 'requested',
    reason: null,
    requestedAt: now,
  });
  set.record(requestedEnvelope(request, now), request.key.slot);
  return { kind: 'accepted', transferId: request.transferId, requestedAt: now };
}

function requestedEnvelope(request: TransferRequest, now: Timestamp): Envelope {
  const { description, metadata } = request;
  return {
    id: `${request.transferId}/10`,
    type: 'requested',
    schema: ENVELOPE_SCHEMA,
    transferId: request.transferId,
    step: 10,
    sourceSlot: request.key.slot,
    destinationSlot: slotOfAccount(request.destination),
    requestedAt: now,
    occurredAt: now,
    actor: request.actor,
    causation: null,
    traceparent: request.traceparent,
    accounts: [],
    data: {
      kind: 'transfer',
      source: request.source,
      destination: request.destination,
      amount: request.amount.minor.toString(),
      currency: request.amount.currency,
      ...(description === undefined ? {} : { description }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}
