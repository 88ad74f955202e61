import { decodeMessage } from '@surety/contracts';
import { shardOfSlot } from '@surety/domain';
import type { ShardId, SlotMap } from '@surety/domain';
import { REAL_CLOCK, backoffMs } from '@surety/runtime';
import type {
  BatchVerdict,
  Clock,
  IncomingBatch,
  IncomingMessage,
  Logger,
  Metrics,
} from '@surety/runtime';
import { ProjectionFold, byShard } from './projected-rows.js';
import type { ShardProjection } from './shard-projection.js';

const BACKOFF = { minMs: 100, maxMs: 3_000 };
/** A newer release is being rolled out: its processes will take the partition over. */
const UNKNOWN_SCHEMA_PAUSE_MS = 30_000;

export interface MessageHandlerOptions {
  readonly currentMap: () => SlotMap;
  readonly projections: ReadonlyMap<ShardId, Pick<ShardProjection, 'submit'>>;
  readonly clock?: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Folds the messages of one partition and hands the rows to their shards. A batch is done when every
 * shard has its rows: where one fails, the others have theirs nevertheless, and the batch comes again.
 */
export class MessageHandler {
  readonly #options: MessageHandlerOptions;
  readonly #failures = new Map<string, number>();

  constructor(options: MessageHandlerOptions) {
    this.#options = options;
  }

  #pauseMs(failures: number): number {
    const { random } = this.#options.clock ?? REAL_CLOCK;
    return backoffMs(failures, { ...BACKOFF, random });
  }

  /** Never rejects. */
  async handle({ topic, partition, messages }: IncomingBatch): Promise<BatchVerdict> {
    const fold = new ProjectionFold();
    const readable = this.#foldUntilUnknown(messages, fold);
    const isWritten = await this.#write(fold);
    const key = `${topic}/${partition}`;
    if (!isWritten) {
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      return { processed: 0, retryAfterMs: this.#pauseMs(failures) };
    }
    this.#failures.delete(key);
    if (readable === messages.length) return { processed: readable };
    this.#options.metrics.errorsTotal.inc({ kind: 'unknown_schema', shard: '' });
    this.#options.log.error('a newer release writes here: the partition stops until one reads it', {
      ...{ topic, partition, retryAfterMs: UNKNOWN_SCHEMA_PAUSE_MS },
    });
    return { processed: readable, retryAfterMs: UNKNOWN_SCHEMA_PAUSE_MS };
  }

  /** Returns how many messages come before the first of a newer schema. */
  #foldUntilUnknown(messages: readonly IncomingMessage[], fold: ProjectionFold): number {
    let readable = 0;
    for (const { topic, partition, offset, value } of messages) {
      const decoded = decodeMessage(value);
      if (decoded.kind === 'unknown_schema') return readable;
      if (decoded.kind === 'malformed') {
        // What says nothing readable changes nothing here; who acts on orders dead-letters it.
        this.#options.metrics.errorsTotal.inc({ kind: 'malformed', shard: '' });
        const fields = { topic, partition, offset, fault: decoded.error };
        this.#options.log.error('a message cannot be read and is passed over', fields);
      } else {
        for (const event of decoded.events) fold.take(event);
      }
      readable += 1;
    }
    return readable;
  }

  async #write(fold: ProjectionFold): Promise<boolean> {
    const { currentMap, projections } = this.#options;
    const map = currentMap();
    const parts = [...byShard(fold, (slot) => shardOfSlot(map, slot))];
    const written = await Promise.all(
      parts.map(async ([shard, rows]) => (await projections.get(shard)?.submit(rows)) ?? false),
    );
    return written.every(Boolean);
  }
}
