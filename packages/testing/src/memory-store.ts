import { fenceName, keyOf, readingAllKeys, StoreError } from '@surety/saga';
import type {
  AuditEntry,
  Changes,
  DeadLetterState,
  DecisionRow,
  EventRow,
  Fence,
  HoldRow,
  KeyRow,
  LoadRequest,
  Loaded,
  OutboxRow,
  Planned,
  RoutableStore,
  ShardStore,
  TransferRow,
} from '@surety/saga';
import { isEnded } from '@surety/domain';
import type { Account, AccountId, Leg, ShardId, TransferId } from '@surety/domain';
import { TEST_PARTITIONS } from './test-partitions.js';

/** Every row of one shard, readable by specs and checkers. */
export interface MemoryRows {
  readonly keys: Map<string, KeyRow>;
  readonly transfers: Map<TransferId, TransferRow>;
  readonly openTransfers: Set<TransferId>;
  readonly decisions: Map<TransferId, DecisionRow>;
  readonly accounts: Map<AccountId, Account>;
  readonly holds: Map<TransferId, HoldRow>;
  readonly legs: Leg[];
  /** By `transferId/step`. */
  readonly events: Map<string, EventRow>;
  readonly outbox: OutboxRow[];
  readonly audit: AuditEntry[];
  /** By letter. */
  readonly deadLetters: Map<string, DeadLetterState>;
  /** The token of each lease of this shard, by name. */
  readonly leases: Map<string, bigint>;
  /** The highest token seen of each lease of another shard, by fenceName. */
  readonly fences: Map<string, bigint>;
}

/**
 * A shard in memory: the same port as the SQL store, one transaction at a time. It refuses what the
 * tables would refuse (duplicate keys, rows that are not there, stale versions) before it changes
 * anything, so that a failed transaction leaves no trace.
 */
export class MemoryShardStore implements RoutableStore {
  readonly shard: ShardId;
  readonly rows: MemoryRows = {
    keys: new Map(),
    transfers: new Map(),
    openTransfers: new Set(),
    decisions: new Map(),
    accounts: new Map(),
    holds: new Map(),
    legs: [],
    events: new Map(),
    outbox: [],
    audit: [],
    deadLetters: new Map(),
    leases: new Map(),
    fences: new Map(),
  };
  /** Of the shard's placement: it rises when slots move. */
  epoch = 1n;
  /** Its place among the others; alone, everything lies here. */
  shardOf: Loaded['shardOf'] = () => this.shard;
  /** Of each topic, that messages are spread over. */
  partitions = TEST_PARTITIONS;
  /** Transactions that were committed. */
  commits = 0;
  readonly #nowMs: () => number;

  constructor(shard: ShardId, nowMs: () => number) {
    this.shard = shard;
    this.#nowMs = nowMs;
  }

  at(epoch: bigint, fence?: Fence): ShardStore {
    return {
      shard: this.shard,
      transact: async (load, decide) => {
        await Promise.resolve();
        if (epoch !== this.epoch) {
          const message = `routed with epoch ${epoch}, the shard is at ${this.epoch}`;
          throw new StoreError('epoch', message);
        }
        return this.#transact(load, decide, fence);
      },
    };
  }

  /** What a new holder does on the shards where its lease does not lie. */
  raiseFence(fence: Fence): void {
    const seen = this.rows.fences.get(fenceName(fence)) ?? 0n;
    if (fence.token > seen) this.rows.fences.set(fenceName(fence), fence.token);
  }

  /** Work that is routed in this very moment. */
  async transact<R>(load: LoadRequest, decide: (loaded: Loaded) => Planned<R>): Promise<R> {
    await Promise.resolve();
    return this.#transact(load, decide);
  }

  /** A key that was presumed absent and is there costs a second attempt, which reads it. */
  #transact<R>(load: LoadRequest, decide: (loaded: Loaded) => Planned<R>, fence?: Fence): R {
    try {
      return this.#attempt(load, decide, fence);
    } catch (error) {
      const second = readingAllKeys(load);
      if (!(error instanceof DuplicateRow) || second === load) throw error;
      return this.#attempt(second, decide, fence);
    }
  }

  #attempt<R>(load: LoadRequest, decide: (loaded: Loaded) => Planned<R>, fence?: Fence): R {
    const planned = this.#decided(this.#load(load), decide);
    if (fence) this.#checkFence(fence);
    this.#refuse(planned.changes);
    this.#write(planned.changes);
    this.commits += 1;
    return planned.result;
  }

  #checkFence(fence: Fence): void {
    const isOwn = fence.shard === this.shard;
    if (!isOwn) this.raiseFence(fence);
    const { leases, fences } = this.rows;
    const seen = isOwn ? leases.get(fence.lease) : fences.get(fenceName(fence));
    if (seen !== fence.token) throw new StoreError('fenced', `the lease is at token ${seen ?? 0n}`);
  }

  #decided<R>(loaded: Loaded, decide: (loaded: Loaded) => Planned<R>): Planned<R> {
    try {
      return decide(loaded);
    } catch (cause) {
      throw new StoreError('data', 'the decision failed', { cause });
    }
  }

  #load(load: LoadRequest): Loaded {
    return {
      now: new Date(this.#nowMs()).toISOString().replace('Z', '000Z'),
      shardOf: this.shardOf,
      partitions: this.partitions,
      keys: pick(this.rows.keys, (load.keys ?? []).map(keyOf)),
      transfers: pick(this.rows.transfers, load.transfers ?? []),
      decisions: pick(this.rows.decisions, load.decisions ?? []),
      accounts: pick(this.rows.accounts, load.accounts ?? []),
    };
  }

  #refuse(changes: Changes): void {
    const { rows } = this;
    refuseKnown(rows.keys, changes.keys.map(keyOf), 'idempotency_keys');
    refuseKnown(
      rows.transfers,
      changes.transfersInserted.map((row) => row.id),
      'transfers',
    );
    refuseKnown(
      rows.decisions,
      changes.decisions.map((row) => row.transferId),
      'decisions',
    );
    refuseKnown(
      rows.accounts,
      changes.accountsInserted.map((row) => row.id),
      'accounts',
    );
    refuseKnown(
      rows.holds,
      changes.holdsInserted.map((row) => row.transferId),
      'holds',
    );
    refuseKnown(rows.events, changes.events.map(eventKey), 'transfer_events');
    this.#refuseStale(changes);
    for (const id of changes.holdsDeleted) {
      if (!rows.holds.has(id)) refuse(`there is no hold ${id}`);
    }
  }

  /** What was read under lock must still be what stands there. */
  #refuseStale(changes: Changes): void {
    const { rows } = this;
    for (const update of changes.accountsUpdated) {
      const version = rows.accounts.get(update.id)?.version;
      if (version !== update.expectedVersion) refuse(`account ${update.id} is at ${version}`);
    }
    for (const { id, from } of changes.accountStatuses) {
      const status = rows.accounts.get(id)?.status;
      if (status !== from) refuse(`account ${id} is ${status}`);
    }
    for (const update of changes.transfersUpdated) {
      const state = rows.transfers.get(update.id)?.state;
      if (state !== update.from) refuse(`transfer ${update.id} is ${state}`);
    }
    this.#refuseHandled(changes);
  }

  #refuseHandled({ deadLetters }: Changes): void {
    for (const { letter } of deadLetters) {
      const state = this.rows.deadLetters.get(letter);
      if (state !== 'open') refuse(`dead letter ${letter} is ${state}`);
    }
  }

  #write(changes: Changes): void {
    const { rows } = this;
    this.#writeTransfers(changes);
    this.#writeAccounts(changes);
    for (const row of changes.keys) rows.keys.set(keyOf(row), row);
    for (const row of changes.decisions) rows.decisions.set(row.transferId, row);
    for (const row of changes.holdsInserted) rows.holds.set(row.transferId, row);
    for (const id of changes.holdsDeleted) rows.holds.delete(id);
    for (const row of changes.events) rows.events.set(eventKey(row), row);
    rows.legs.push(...changes.legs);
    rows.outbox.push(...changes.outbox);
    rows.audit.push(...changes.audit);
    for (const { letter, to } of changes.deadLetters) rows.deadLetters.set(letter, to);
  }

  #writeTransfers({ transfersInserted, transfersUpdated }: Changes): void {
    const { transfers, openTransfers } = this.rows;
    for (const row of transfersInserted) {
      transfers.set(row.id, row);
      if (!isEnded(row.state)) openTransfers.add(row.id);
    }
    for (const { id, to, reason } of transfersUpdated) {
      transfers.set(id, { ...(transfers.get(id) as TransferRow), state: to, reason });
      if (isEnded(to)) openTransfers.delete(id);
    }
  }

  #writeAccounts({ accountsInserted, accountsUpdated, accountStatuses }: Changes): void {
    const { accounts } = this.rows;
    for (const { metadata: _, ...account } of accountsInserted) accounts.set(account.id, account);
    for (const { id, balance, held, version, entrySeq } of accountsUpdated) {
      const account = accounts.get(id) as Account;
      accounts.set(id, { ...account, balance, held, version, entrySeq });
    }
    for (const { id, to } of accountStatuses) {
      accounts.set(id, { ...(accounts.get(id) as Account), status: to });
    }
  }
}

function eventKey(row: { transferId: TransferId; step: number }): string {
  return `${row.transferId}/${row.step}`;
}

function pick<K, V>(rows: ReadonlyMap<K, V>, keys: readonly K[]): Map<K, V> {
  const found = new Map<K, V>();
  for (const key of keys) {
    const row = rows.get(key);
    if (row !== undefined) found.set(key, row);
  }
  return found;
}

function refuseKnown<K>(rows: ReadonlyMap<K, unknown>, keys: readonly K[], table: string): void {
  const seen = new Set<K>();
  for (const key of keys) {
    if (rows.has(key) || seen.has(key)) {
      throw new DuplicateRow('data', `duplicate key ${String(key)} in ${table}`);
    }
    seen.add(key);
  }
}

/** What MySQL reports as 1062. */
class DuplicateRow extends StoreError {}

function refuse(what: string): never {
  throw new StoreError('data', what);
}
