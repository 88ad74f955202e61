import type { AccountId, ShardId, TransferId } from '@surety/domain';
import type { ProjectionRepair, StaleBalanceRow, StaleStatusRow } from '@surety/db';
import type { AuditEntry, Fence, KeyRef } from '@surety/saga';
import type { Trouble } from '../sweeps/repair.js';

/** What the patrol reads and writes of one shard, a bounded page at a time. */
export interface PatrolShard {
  readonly id: ShardId;
  positions(): Promise<{ now: string; positions: ReadonlyMap<string, string> }>;
  keepPositions(positions: ReadonlyMap<string, string>): Promise<void>;
  /** Decisions in the order of their ids. */
  decided(
    after: TransferId | undefined,
    limit: number,
  ): Promise<readonly { readonly transferId: TransferId }[]>;
  /** Those of the transfers that this shard, as their source's, has. */
  known(ids: readonly TransferId[]): Promise<ReadonlySet<TransferId>>;
  staleStatuses(
    after: TransferId | undefined,
    limit: number,
  ): Promise<{ stale: readonly StaleStatusRow[]; next: TransferId | undefined }>;
  staleBalances(
    after: AccountId | undefined,
    limit: number,
  ): Promise<{ stale: readonly StaleBalanceRow[]; next: AccountId | undefined }>;
  repairProjections(repair: ProjectionRepair, fence: Fence): Promise<void>;
  expiredKeys(
    after: KeyRef | undefined,
    limit: number,
  ): Promise<{ expired: readonly KeyRef[]; next: KeyRef | undefined }>;
  removeKeys(keys: readonly KeyRef[], fence: Fence): Promise<number>;
  /** Age of the oldest outbox row in milliseconds, 0 where the outbox is empty. */
  outboxAgeMs(): Promise<number>;
}

/** Where a patrol tells what it did and found. */
export interface PatrolListener {
  /** A projection was written anew: the line that stands in audit_log. */
  projected(shard: ShardId, line: AuditEntry): void;
  keysRemoved(shard: ShardId, count: number): void;
  /** How many decisions of the shard stand without a transfer, as of this pass. */
  strays(shard: ShardId, count: number): void;
  trouble(trouble: Trouble): void;
}

export interface PatrolContext {
  readonly shard: PatrolShard;
  readonly fence: Fence;
  readonly stallTimeoutMs: number;
  readonly listener: PatrolListener;
  /** @throws RangeError where no shard carries the slot. */
  shardOf(slot: number): PatrolShard;
  /** Reads the slot map again: what is missing may only have moved. */
  refreshMap(): Promise<void>;
  /** Wakes the relay of the shard. */
  ringOutbox(): void;
  mayGoOn(): boolean;
}
