import { ENVELOPE_SCHEMA } from '@surety/contracts';
import type { Envelope, Timestamp } from '@surety/contracts';
import {
  STEP,
  creditRefusal,
  externalAccountId,
  externalLegs,
  holdRefusal,
  post,
} from '@surety/domain';
import type { Account, AccountId, Money, Reason, TransferId } from '@surety/domain';
import { snapshotOf } from './answering.js';
import { ChangeSet } from './change-set.js';
import type { KeyRef, KeyRow, ShardStore } from './ports.js';
import { KEY_LIFETIME_MS } from './request.js';
import { addMs } from './time.js';

export type FundingDirection = 'deposit' | 'withdrawal';

export interface FundingRequest {
  readonly key: KeyRef;
  readonly fingerprint: string;
  readonly transferId: TransferId;
  readonly tenant: string;
  readonly account: AccountId;
  readonly direction: FundingDirection;
  readonly amount: Money;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly traceparent: string | null;
  readonly actor: string;
}

/** The account right after the funding; sums are strings of minor units. */
export interface FundingAnswer {
  readonly balance: string;
  readonly held: string;
  readonly version: string;
  readonly entrySeq: string;
  readonly requestedAt: Timestamp;
}

export type FundingResult =
  | {
      readonly kind: 'accepted' | 'replayed';
      readonly transferId: TransferId;
      readonly answer: FundingAnswer;
    }
  | { readonly kind: 'key_reused' }
  /** Nothing was written: the same key may be tried again. */
  | { readonly kind: 'refused'; readonly reason: Reason };

/**
 * Moves money between accounts and the external account of their own slot: a transfer of kind
 * funding, requested and committed in one transaction, so that every slot's ledger sums to zero
 * from the first entry on. Results come in the order of the requests.
 * @throws StoreError
 */
export function fundAccounts(
  store: ShardStore,
  requests: readonly FundingRequest[],
): Promise<readonly FundingResult[]> {
  const load = {
    keys: requests.map((request) => request.key),
    accounts: requests.map((request) => request.account),
  };
  return store.transact(load, (loaded) => {
    const set = new ChangeSet(loaded, load);
    const result = requests.map((request) => take(set, request));
    return { changes: set.finish(), result };
  });
}

function take(set: ChangeSet, request: FundingRequest): FundingResult {
  const known = set.key(request.key);
  if (known) return replay(known, request);
  const account = set.account(request.account);
  const reason =
    request.direction === 'deposit'
      ? creditRefusal(account, request.amount)
      : holdRefusal(account, request.amount);
  if (reason || !account) {
    return { kind: 'refused', reason: reason ?? 'destination_not_found' };
  }
  const signedMinor =
    request.direction === 'deposit' ? request.amount.minor : -request.amount.minor;
  const after = post(account, signedMinor);
  const answer = answerOf(after, set.now);
  set.putAccount(after);
  set.addLegs(externalLegs({ transferId: request.transferId, step: STEP.end, after, signedMinor }));
  store(set, request, { after, answer });
  return { kind: 'accepted', transferId: request.transferId, answer };
}

function replay(known: KeyRow, request: FundingRequest): FundingResult {
  if (known.fingerprint !== request.fingerprint || !known.transferId || !known.answer) {
    return { kind: 'key_reused' };
  }
  const answer = JSON.parse(known.answer) as FundingAnswer;
  const kind = known.transferId === request.transferId ? 'accepted' : 'replayed';
  return { kind, transferId: known.transferId, answer };
}

function answerOf(after: Account, now: Timestamp): FundingAnswer {
  const { balance, held, version } = snapshotOf(after);
  return { balance, held, version, entrySeq: after.entrySeq.toString(), requestedAt: now };
}

function store(
  set: ChangeSet,
  request: FundingRequest,
  { after, answer }: { after: Account; answer: FundingAnswer },
): void {
  const { now } = set;
  const external = externalAccountId(after.slot, after.currency);
  const isDeposit = request.direction === 'deposit';
  const source = isDeposit ? external : after.id;
  const destination = isDeposit ? after.id : external;
  set.insertKey({
    ...request.key,
    fingerprint: request.fingerprint,
    transferId: request.transferId,
    answer: JSON.stringify(answer),
    createdAt: now,
    expiresAt: addMs(now, KEY_LIFETIME_MS),
  });
  set.insertTransfer({
    id: request.transferId,
    slot: after.slot,
    kind: 'funding',
    parentId: null,
    tenant: request.tenant,
    source,
    destination,
    amountMinor: request.amount.minor,
    currency: request.amount.currency,
    capture: 'auto',
    state: 'committed',
    reason: null,
    requestedAt: now,
  });
  const requested = requestedEnvelope(request, { after, source, destination, now });
  // Nobody has to act on it: the same transaction commits it.
  set.record(requested, after.slot, 'nobody');
  set.record(committedEnvelope(requested, after), after.slot);
}

function requestedEnvelope(
  request: FundingRequest,
  at: { after: Account; source: AccountId; destination: AccountId; now: Timestamp },
): Envelope {
  const { description, metadata } = request;
  return {
    id: `${request.transferId}/${STEP.request}`,
    type: 'requested',
    schema: ENVELOPE_SCHEMA,
    transferId: request.transferId,
    step: STEP.request,
    sourceSlot: at.after.slot,
    destinationSlot: at.after.slot,
    requestedAt: at.now,
    occurredAt: at.now,
    actor: request.actor,
    causation: null,
    traceparent: request.traceparent,
    accounts: [],
    data: {
      kind: 'funding',
      source: at.source,
      destination: at.destination,
      amount: request.amount.minor.toString(),
      currency: request.amount.currency,
      ...(description === undefined ? {} : { description }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

function committedEnvelope(requested: Envelope, after: Account): Envelope {
  const { kind, source, destination, amount, currency } = requested.data;
  return {
    ...requested,
    id: `${requested.transferId}/${STEP.end}`,
    type: 'committed',
    step: STEP.end,
    causation: requested.id,
    accounts: [snapshotOf(after)],
    data: { kind, source, destination, amount, currency },
  };
}
