import type { Timestamp, Topic } from '@surety/contracts';
import type {
  Account,
  AccountId,
  AccountStatus,
  Capture,
  Decision,
  Leg,
  Reason,
  ShardId,
  SlotMap,
  Step,
  TransferEventType,
  TransferId,
  TransferKind,
  TransferStatus,
} from '@surety/domain';

/** Where an idempotency key lives: the slot in which its operation begins. */
export interface KeyRef {
  readonly slot: number;
  /** SHA-256 over length-prefixed (tenant, key): 64 hex digits. */
  readonly keyHash: string;
}

export interface KeyRow extends KeyRef {
  /** Version byte + SHA-256 of the canonical operation: 66 hex digits. */
  readonly fingerprint: string;
  /** The transfer that the key made; null where it opened an account. */
  readonly transferId: TransferId | null;
  /** What of the first answer cannot be derived, or null; of an opening `{"accountId":…}`. */
  readonly answer: string | null;
  readonly createdAt: Timestamp;
  readonly expiresAt: Timestamp;
}

/** One row of `transfers`, on the source's shard. */
export interface TransferRow {
  readonly id: TransferId;
  readonly slot: number;
  readonly kind: TransferKind;
  readonly parentId: TransferId | null;
  readonly tenant: string;
  readonly source: AccountId;
  readonly destination: AccountId;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly capture: Capture;
  readonly state: TransferStatus;
  readonly reason: Reason | null;
  readonly requestedAt: Timestamp;
}

/** One row of `decisions`, on the destination's shard (part 0: the only part until captures come). */
export interface DecisionRow {
  readonly transferId: TransferId;
  readonly slot: number;
  readonly decision: Decision;
  readonly source: AccountId;
  readonly destination: AccountId;
  readonly amountMinor: bigint;
  readonly currency: string;
}

export interface HoldRow {
  readonly transferId: TransferId;
  readonly slot: number;
  readonly account: AccountId;
  readonly amountMinor: bigint;
  readonly expiresAt: Timestamp;
}

/** One row of `transfer_events`: `envelope` is the encoded envelope, the very bytes that travel. */
export interface EventRow {
  readonly transferId: TransferId;
  readonly step: Step;
  readonly slot: number;
  readonly type: TransferEventType;
  readonly occurredAt: Timestamp;
  readonly envelope: string;
}

/** One row of `outbox`: one Kafka message with all events of a transaction for a topic and partition. */
export interface OutboxRow {
  readonly topic: Topic;
  readonly partition: number;
  readonly payload: string;
}

/** New absolute values for a locked account. `expectedVersion` is the version that was read. */
export interface AccountUpdate {
  readonly id: AccountId;
  readonly expectedVersion: bigint;
  readonly balance: bigint;
  readonly held: bigint;
  readonly version: bigint;
  readonly entrySeq: bigint;
}

/** Of a locked account. Balance, held and version are not touched by it. */
export interface AccountStatusUpdate {
  readonly id: AccountId;
  readonly from: AccountStatus;
  readonly to: AccountStatus;
}

export interface TransferUpdate {
  readonly id: TransferId;
  readonly from: TransferStatus;
  readonly to: TransferStatus;
  readonly reason: Reason | null;
}

/**
 * One line of audit_log: who changed what and why, with what was seen under lock and what was
 * written. Amounts are strings of minor units.
 */
export interface AuditEntry {
  /** `reconciler`, `operator:NAME` or `client:TENANT`. */
  readonly actor: string;
  /** Where the change comes from and what it is, for instance `reconcile.commit`. */
  readonly action: string;
  readonly transferId?: TransferId;
  readonly accountId?: AccountId;
  readonly slot: number;
  readonly reason: string;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

export type DeadLetterState = 'open' | 'replayed' | 'discarded';

/** What a person decided about an open dead letter. */
export interface DeadLetterHandling {
  readonly letter: string;
  readonly to: Exclude<DeadLetterState, 'open'>;
  readonly by: string;
  readonly reason: string;
}

/** What one transaction reads under lock, everything by key. Order and duplicates do not matter. */
export interface LoadRequest {
  readonly keys?: readonly KeyRef[];
  /**
   * Keys that the caller believes nobody has used: the first attempt does not look for them, they
   * are not among what is loaded. `decide` inserts each that it does not find: the primary key is
   * the guard. If there is a row after all, the second attempt reads them all like `keys`.
   */
  readonly keysPresumedAbsent?: readonly KeyRef[];
  readonly transfers?: readonly TransferId[];
  readonly decisions?: readonly TransferId[];
  readonly accounts?: readonly AccountId[];
  /**
   * Of the waits for locks. True for a caller that has another way: the first that takes too long
   * (three seconds) fails the transaction as `refused`. Others try again for as long as a frozen
   * owner may last.
   */
  readonly isImpatient?: boolean;
}

/** Rows that exist among those asked for, locked until the transaction ends. */
export interface Loaded {
  /** The database's time of this transaction: the only clock that decides anything. */
  readonly now: Timestamp;
  /** Where the present map puts a slot: a hint for what travels together, nothing rests on it. */
  readonly shardOf: (slot: number) => ShardId;
  /** Partitions of each topic that messages are spread over. */
  readonly partitions: number;
  /** By `keyOf(ref)`. */
  readonly keys: ReadonlyMap<string, KeyRow>;
  readonly transfers: ReadonlyMap<TransferId, TransferRow>;
  readonly decisions: ReadonlyMap<TransferId, DecisionRow>;
  readonly accounts: ReadonlyMap<AccountId, Account>;
}

export function keyOf(ref: KeyRef): string {
  return `${ref.slot}/${ref.keyHash}`;
}

/** Everything one transaction writes: one statement per table, then COMMIT. */
export interface Changes {
  readonly keys: readonly KeyRow[];
  /** Each is found as open from now on, unless it is already ended. */
  readonly transfersInserted: readonly TransferRow[];
  /** One to an end state is not found as open any more. */
  readonly transfersUpdated: readonly (TransferUpdate & {
    readonly slot: number;
    readonly requestedAt: Timestamp;
  })[];
  readonly decisions: readonly DecisionRow[];
  readonly accountsInserted: readonly (Account & { readonly metadata: string | null })[];
  readonly accountsUpdated: readonly AccountUpdate[];
  readonly accountStatuses: readonly AccountStatusUpdate[];
  readonly legs: readonly Leg[];
  readonly holdsInserted: readonly HoldRow[];
  readonly holdsDeleted: readonly TransferId[];
  readonly events: readonly EventRow[];
  readonly outbox: readonly OutboxRow[];
  /** Lines of audit_log: of one transaction with what they tell of. */
  readonly audit: readonly AuditEntry[];
  /** Dead letters that are open and are so no more. */
  readonly deadLetters: readonly DeadLetterHandling[];
}

/**
 * One shard as the steps see it: a transaction is a lock-read, a pure decision in memory and a write.
 */
export interface ShardStore {
  readonly shard: ShardId;
  /**
   * Runs one READ COMMITTED transaction: takes `placement` shared and compares the epoch, lock-reads
   * in lock order, calls `decide` (pure: it may be called again), writes, commits. Resolves only
   * after the commit was acknowledged.
   *
   * Deadlocks (1213), lock time-outs (1205) and lost races on a unique key (1062) are rolled back
   * and tried again as a whole, bounded, with jitter.
   *
   * @throws StoreError with `kind`:
   * - `environment`: the database is away, read-only, out of disk or too contended. Nothing is known
   *   to be written if `outcomeUnknown` is true, else nothing was written.
   * - `epoch`: this shard's map is newer than the caller's; reload and route again.
   * - `fenced`: the lease that this work was done under has a newer holder; nothing was written.
   * - `data`: a row broke a promise or a column's range; the batch as composed cannot be stored.
   */
  transact<R>(load: LoadRequest, decide: (loaded: Loaded) => Planned<R>): Promise<R>;
}

/** A store for work that is routed now and done later, when the map may have moved on. */
export interface RoutableStore extends ShardStore {
  /**
   * The same shard for work that was routed with the map of this epoch. A transaction compares the
   * epoch of the routing, not that of the moment it runs: what waited in a queue across a change of
   * the map must not land on a shard that has given its slot away.
   * @param fence where the work is done under a lease: see Fence.
   */
  at(epoch: bigint, fence?: Fence): ShardStore;
}

/**
 * The holding of a lease that work is done under. Each transaction compares it in the packet that
 * commits: on the lease's own shard with the row of the lease, which nobody can take meanwhile; on
 * another shard with the highest token that was ever seen there of that lease, which a higher one
 * raises. Where a newer holding is known, the transaction writes nothing and fails as `fenced`.
 */
export interface Fence {
  /** Where the lease lies. */
  readonly shard: ShardId;
  readonly lease: string;
  readonly token: bigint;
}

/** How a fence is named on the shards where its lease does not lie. */
export function fenceName({ lease, shard }: Pick<Fence, 'lease' | 'shard'>): string {
  return `${lease}:${shard}`;
}

export interface Planned<R> {
  readonly changes: Changes;
  readonly result: R;
}

/** The current slot map and how to get a newer one. */
export interface SlotMaps {
  current(): SlotMap;
  /** Reads every shard's placement again and returns the map with the highest epoch. */
  reload(): Promise<SlotMap>;
}

/** No changes at all; a transaction that decided nothing still commits. */
export const NO_CHANGES: Changes = {
  keys: [],
  transfersInserted: [],
  transfersUpdated: [],
  decisions: [],
  accountsInserted: [],
  accountsUpdated: [],
  accountStatuses: [],
  legs: [],
  holdsInserted: [],
  holdsDeleted: [],
  events: [],
  outbox: [],
  audit: [],
  deadLetters: [],
};
