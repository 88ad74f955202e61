/** One row of the outbox: one message. */
export interface OutboxMessage {
  readonly seq: bigint;
  /** The topic's name. */
  readonly topic: string;
  readonly partition: number;
  readonly payload: string;
}

export interface OutboxAdvance {
  /** Deletes exactly these rows, never a range, before anything is read. */
  readonly acknowledged: readonly bigint[];
  /** Reads the rows after this number, at most `rowsMax` of them. */
  readonly afterSeq: bigint;
  readonly rowsMax: number;
  /** Reads exactly these rows too. */
  readonly gaps: readonly bigint[];
}

export interface OutboxPage {
  /** Committed rows after `afterSeq`, ascending, none of those acknowledged. */
  readonly rows: readonly OutboxMessage[];
  /** Those of the gaps that are committed. */
  readonly found: readonly OutboxMessage[];
}

/** What the relay needs of the outbox of one shard. Every call is one round trip. */
export interface Outbox {
  /** Rejects when nothing was read; the acknowledged rows may then be deleted or not. */
  advance(advance: OutboxAdvance): Promise<OutboxPage>;
  /** Deletes exactly these rows, never a range. */
  delete(seqs: readonly bigint[]): Promise<void>;
  depth(): Promise<{ readonly rows: number; readonly oldestAgeSeconds: number }>;
}
