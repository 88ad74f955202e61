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
