import { ENVELOPE_SCHEMA } from '@surety/contracts';
import type { Envelope, Timestamp } from '@surety/contracts';
import { InvariantViolation, slotOfAccount } from '@surety/domain';
import type { AccountId, Money, TransferId } from '@surety/domain';
import { ChangeSet } from './change-set.js';
import type { KeyRef, LoadRequest, ShardStore } from './ports.js';
import { StepFold } from './step-fold.js';
import type { StepOptions, StepResult } from './step-fold.js';
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
  | {
      readonly kind: 'accepted';
      readonly transferId: TransferId;
      readonly requestedAt: Timestamp;
      /** Of the steps that this very transaction took, in their order. */
      readonly events?: readonly Envelope[];
    }
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
  return storeRequests(store, requests, keysOf(requests));
}

export type FollowOptions = StepOptions & Required<Pick<StepOptions, 'continuesOn'>>;

/**
 * The same, and in the same transaction what follows on this shard: the hold, and credit and commit
 * where `continuesOn` says that the destination is here, too. For requests that come in bulk: one
 * after the other they go by what those before them have left of an account.
 *
 * Impatient: a request is worth more than its steps, so the caller has `requestTransfers` left where
 * the steps fail (StoreError with `refused`, or of kind `data`).
 * @throws StoreError
 */
export function requestAndFollow(
  store: ShardStore,
  requests: readonly TransferRequest[],
  options: FollowOptions,
): Promise<readonly RequestResult[]> {
  const accounts = accountsOf(requests, options);
  return storeRequests(
    store,
    requests,
    { ...keysOf(requests), accounts, isImpatient: true },
    options,
  );
}

function storeRequests(
  store: ShardStore,
  requests: readonly TransferRequest[],
  load: LoadRequest,
  options?: StepOptions,
): Promise<readonly RequestResult[]> {
  return store.transact(load, (loaded) => {
    const set = new ChangeSet(loaded, load);
    const fold = options && new StepFold(set, options);
    const result = requests.map((request) => take(set, request, fold));
    return { changes: set.finish(), result };
  });
}

function keysOf(requests: readonly TransferRequest[]): LoadRequest {
  const keys: KeyRef[] = [];
  const keysPresumedAbsent: KeyRef[] = [];
  for (const { key, isKeyPresumedAbsent } of requests) {
    (isKeyPresumedAbsent ? keysPresumedAbsent : keys).push(key);
  }
  return { keys, keysPresumedAbsent };
}

/** Whose rows the steps need. Of the transfers themselves there is nothing yet. */
function accountsOf(
  requests: readonly TransferRequest[],
  { continuesOn }: FollowOptions,
): readonly AccountId[] {
  const accounts = new Set<AccountId>();
  for (const { source, destination } of requests) {
    accounts.add(source);
    if (continuesOn(slotOfAccount(destination))) accounts.add(destination);
  }
  return [...accounts];
}

function take(set: ChangeSet, request: TransferRequest, fold?: StepFold): RequestResult {
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
  const requested = requestedEnvelope(request, now);
  const accepted = { kind: 'accepted', transferId: request.transferId, requestedAt: now } as const;
  // By an older map than the one that led it here, its account may be somewhere else.
  if (!fold?.continuesHere(requested)) {
    set.record(requested, request.key.slot);
    return accepted;
  }
  // What is followed here is not for a worker; listeners are told of it.
  set.record(requested, request.key.slot, 'ended');
  return { ...accepted, events: eventsOf(fold.take(requested)) };
}

/** @throws InvariantViolation where the steps say that there is no such transfer: it was just made */
function eventsOf(result: StepResult): readonly Envelope[] {
  if (result.kind === 'applied') return result.events;
  throw new InvariantViolation(`a transfer that was just requested: ${result.kind}`);
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
