/** One row of the outbox: one message. */
export interface OutboxMessage {
  readonly seq: bigint;
  /** The topic's name. */
  readonly topic: string;
  readonly partition: number;
  readonly payload: string;
}

/** What the relay needs of the outbox of one shard. Every call is one round trip. */
export interface Outbox {
  /** Committed rows after a sequence number, ascending. */
  readAfter(afterSeq: bigint, rowsMax: number): Promise<readonly OutboxMessage[]>;
  /** Those of the given rows that are committed. */
  readExactly(seqs: readonly bigint[]): Promise<readonly OutboxMessage[]>;
  /** Deletes exactly these rows, never a range. */
  delete(seqs: readonly bigint[]): Promise<void>;
  depth(): Promise<{ readonly rows: number; readonly oldestAgeSeconds: number }>;
}

/** A row of `leases`; its times are the database's. */
export interface Lease {
  /** The token of the new holding, or undefined while somebody else holds the lease. */
  acquire(): Promise<bigint | undefined>;
  /** False where the lease went to somebody else meanwhile. */
  renew(token: bigint): Promise<boolean>;
  release(token: bigint): Promise<void>;
}
