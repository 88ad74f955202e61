import type { ShardId, TransferId } from '@surety/domain';
import type { DecisionRow, EventRow, HoldRow, ShardStore } from '@surety/saga';

/** Where a page of expired holds ended: the order of the index is (expires_at, transfer_id). */
export type HoldCursor = Pick<HoldRow, 'expiresAt' | 'transferId'>;

/** A transfer that has not ended. */
export interface OpenTransfer {
  readonly transferId: TransferId;
  readonly slot: number;
  readonly state: 'requested' | 'held';
  /** Time since the request by the database's clock, in milliseconds. */
  readonly ageMs: number;
}

/** Where a page of open transfers ended. */
export interface OpenTransferCursor {
  readonly slot: number;
  readonly since: string;
  readonly transferId: TransferId;
}

export interface OpenTransferPage {
  readonly transfers: readonly OpenTransfer[];
  /** Where the next page begins; undefined after the last one. */
  readonly next: OpenTransferCursor | undefined;
}

export interface EventRef {
  readonly transferId: TransferId;
  readonly step: 10 | 20 | 30;
}

/**
 * What the sweeps read of one shard: open work only, never history. Nothing read here decides
 * anything; every repair is a step that reads again under lock.
 */
export interface SweepReads {
  /** Holds whose expiry lies before the database's now, in index order. */
  expiredHolds(after: HoldCursor | undefined, limit: number): Promise<readonly HoldRow[]>;
  openTransfers(
    olderThanMs: number,
    after: OpenTransferCursor | undefined,
    limit: number,
  ): Promise<OpenTransferPage>;
  decisions(ids: readonly TransferId[]): Promise<ReadonlyMap<TransferId, DecisionRow>>;
  /** The rows that exist among those asked for, in no particular order; what they tell is not read. */
  events(refs: readonly EventRef[]): Promise<readonly EventRow[]>;
  /** Age of the oldest outbox row in milliseconds, 0 where the outbox is empty. */
  outboxAgeMs(): Promise<number>;
}

export interface SweepShard {
  readonly id: ShardId;
  readonly store: ShardStore;
  readonly reads: SweepReads;
}
