import { TOPICS, decodeMessage } from '@surety/contracts';
import { firstSlotOfPartition, shardOfSlot } from '@surety/domain';
import type { ShardId, SlotMap } from '@surety/domain';
import { stopAtNewerSchema } from '@surety/runtime';
import type {
  BatchVerdict,
  IncomingBatch,
  IncomingMessage,
  Logger,
  Metrics,
} from '@surety/runtime';
import { ShardFolds } from './projected-rows.js';
import type { ShardProjection } from './shard-projection.js';

/** A message that cannot be read, and where it lies in Kafka. */
export interface UnreadableMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly payload: string;
  readonly error: string;
}

/** With the slot whose shard keeps it. */
export interface BuriedMessage extends UnreadableMessage {
  readonly slot: number;
}

export interface MessageHandlerOptions {
  readonly currentMap: () => SlotMap;
  /** Of each topic, as they are written to. */
  readonly partitions: number;
  readonly projections: ReadonlyMap<ShardId, Pick<ShardProjection, 'submit'>>;
  /** Keeps a message that nobody can read. @throws StoreError where the shard is away */
  readonly bury: (shard: ShardId, message: BuriedMessage) => Promise<void>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Folds the messages of one partition and hands the rows to their shards. A batch is done when every
 * shard has its rows: where one fails, the others have theirs nevertheless, and the batch comes again.
 */
export class MessageHandler {
  readonly #options: MessageHandlerOptions;

  constructor(options: MessageHandlerOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async handle(
    { topic, partition, messages }: IncomingBatch,
    attempt: number,
  ): Promise<BatchVerdict> {
    const map = this.#options.currentMap();
    const folds = new ShardFolds((slot) => shardOfSlot(map, slot));
    const { readable, unreadable } = foldUntilUnknown(messages, folds);
    const isWritten = (await this.#write(folds, attempt)) && (await this.#bury(unreadable));
    if (!isWritten) return { processed: 0, stops: readable < messages.length };
    if (readable === messages.length) return { processed: readable };
    return stopAtNewerSchema(this.#options, { topic, partition }, readable);
  }

  /**
   * A message that says nothing readable changes nothing here. Those for the steps are kept by the
   * workers; nobody but the projector reads what tells of ends.
   */
  async #bury(unreadable: readonly UnreadableMessage[]): Promise<boolean> {
    const { bury, currentMap, partitions, metrics, log } = this.#options;
    for (const message of unreadable) {
      const { topic, partition, offset, error } = message;
      metrics.errorsTotal.inc({ kind: 'malformed', shard: '' });
      log.error('a message cannot be read', { topic, partition, offset, fault: error });
      if (topic !== TOPICS.ended) continue;
      const slot = firstSlotOfPartition(partition, partitions);
      const shard = shardOfSlot(currentMap(), slot);
      try {
        await bury(shard, { ...message, slot });
      } catch (failure) {
        metrics.errorsTotal.inc({ kind: 'environment', shard });
        log.warn('a dead letter could not be stored, the partition waits', { error: failure });
        return false;
      }
      metrics.errorsTotal.inc({ kind: 'dead_letter', shard });
    }
    return true;
  }

  async #write({ byShard }: ShardFolds, attempt: number): Promise<boolean> {
    const { projections } = this.#options;
    const written = await Promise.all(
      Array.from(
        byShard,
        async ([shard, rows]) => (await projections.get(shard)?.submit(rows, attempt)) ?? false,
      ),
    );
    return written.every(Boolean);
  }
}

interface Folded {
  /** How many messages come before the first one of a newer schema. */
  readonly readable: number;
  readonly unreadable: readonly UnreadableMessage[];
}

function foldUntilUnknown(messages: readonly IncomingMessage[], folds: ShardFolds): Folded {
  const unreadable: UnreadableMessage[] = [];
  let readable = 0;
  for (const { topic, partition, offset, value } of messages) {
    const decoded = decodeMessage(value);
    if (decoded.kind === 'unknown_schema') return { readable, unreadable };
    if (decoded.kind === 'malformed') {
      const { error } = decoded;
      unreadable.push({ topic, partition, offset, payload: value, error });
    } else {
      for (const event of decoded.events) folds.take(event);
    }
    readable += 1;
  }
  return { readable, unreadable };
}
