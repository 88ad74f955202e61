import type { Logger } from '../log.js';
import type { KafkaCluster } from './cluster.js';

export interface KafkaOptions extends KafkaCluster {
  readonly clientId: string;
  readonly log: Logger;
}

export interface OutgoingMessage {
  readonly topic: string;
  readonly partition: number;
  readonly value: string;
}

export interface MessagePublisher {
  /**
   * Resolves when every message is acknowledged by all in-sync replicas. Rejects when any is not:
   * then each may have been written or not, and publishing all of them again is right.
   */
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}

export interface IncomingMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly value: string;
  readonly timestampMs: number;
}

export interface IncomingBatch {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly IncomingMessage[];
}

/**
 * How far a handler got. The first `processed` messages are done, durably: their offsets may be
 * committed. The others are handed over again from the first of them on, after `retryAfterMs` (left
 * out: a pause that grows with each attempt), together with what failed in the meantime. The partition
 * is read on behind them, so that a shard which is away does not hold up others, unless `stops` says
 * that nothing behind them may be read before they are done.
 */
export interface BatchVerdict {
  readonly processed: number;
  readonly retryAfterMs?: number;
  readonly stops?: boolean;
}

/**
 * @param attempt how often in a row something of what is handed over has failed before; 0 where all
 *   of it comes for the first time
 */
export type BatchHandler = (batch: IncomingBatch, attempt: number) => Promise<BatchVerdict>;

export interface MessageConsumer {
  /** Whether it is a member of its group and reads. False makes the process unready. */
  readonly running: boolean;
  /** Messages not yet handled, by `topic/partition`, for the partitions this consumer owns. */
  lag(): Promise<ReadonlyMap<string, number>>;
  /** No new batches, waits for running handlers (bounded), commits offsets, leaves the group. */
  stop(): Promise<void>;
}

export interface ConsumerOptions extends KafkaOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly handle: BatchHandler;
  /** Under load, the least time between two fetches, in milliseconds. Default: no pace. */
  readonly fetchEveryMs?: number;
  /**
   * How much of all partitions together may be in hand, in characters, before each is held to its own
   * bound: for handlers that let work gather for longer than a transaction takes. Default: none.
   */
  readonly readAheadCharacters?: number;
  /**
   * Who lets work gather should do it now: half of that is in hand, or somebody waits for what is (a
   * stop, a partition that comes back or stands still).
   */
  readonly pressed?: () => void;
  /**
   * Silence after which the group gives this member's partitions to the others, by falling
   * preference: what the broker refuses as too short is followed by the next one.
   */
  readonly sessionTimeoutsMs?: readonly [number, ...number[]];
}
