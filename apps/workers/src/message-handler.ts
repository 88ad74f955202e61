import { decodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { firstSlotOfPartition, shardOfSlot } from '@surety/domain';
import type { ShardId } from '@surety/domain';
import { stopAtNewerSchema } from '@surety/runtime';
import type {
  BatchVerdict,
  IncomingBatch,
  IncomingMessage,
  Logger,
  Metrics,
} from '@surety/runtime';
import type { SlotMaps } from '@surety/saga';
import type { DeadLetters, MessageOrigin } from './dead-letters.js';
import { byActingShard } from './routing.js';
import type { ItemOutcome, StepRunner } from './step-runner.js';
import { workerStepOf } from './worker-steps.js';
import type { WorkerStep } from './worker-steps.js';

/** Maps that change faster than they can be read are a failure of the environment. */
const REROUTES_MAX = 3;

export interface MessageHandlerOptions {
  readonly steps: readonly WorkerStep[];
  /** Of each topic, as they are written to. */
  readonly partitions: number;
  readonly slotMaps: SlotMaps;
  readonly runners: ReadonlyMap<ShardId, Pick<StepRunner, 'submit'>>;
  readonly deadLettersOf: (shard: ShardId) => DeadLetters;
  readonly metrics: Metrics;
  readonly log: Logger;
}

type Decoded = { readonly message: IncomingMessage } & (
  | { readonly kind: 'events'; readonly events: readonly Envelope[] }
  | { readonly kind: 'malformed'; readonly error: string }
);

interface DecodedBatch {
  /** Up to the first message of a newer schema. */
  readonly readable: readonly Decoded[];
  readonly unknownSchema: number | undefined;
}

/**
 * Takes the messages of one partition to the shards that act on them, and says how far in their
 * order all their transactions have committed.
 */
export class MessageHandler {
  readonly #options: MessageHandlerOptions;

  constructor(options: MessageHandlerOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async handle({ topic, partition, messages }: IncomingBatch): Promise<BatchVerdict> {
    const { readable, unknownSchema } = decodeBatch(messages);
    const outcomes = await Promise.all(readable.map((decoded) => this.#take(decoded)));
    const firstFailed = outcomes.indexOf('retry');
    if (firstFailed >= 0) return { processed: firstFailed, stops: unknownSchema !== undefined };
    if (unknownSchema === undefined) return { processed: messages.length };
    const where = { topic, partition, schema: unknownSchema };
    return stopAtNewerSchema(this.#options, where, readable.length);
  }

  async #take(decoded: Decoded): Promise<'done' | 'retry'> {
    const { topic, partition, offset } = decoded.message;
    const origin = { topic, partition, offset };
    if (decoded.kind === 'malformed') {
      return this.#bury(decoded.message, origin, decoded.error);
    }
    const ours = decoded.events.filter((event) => {
      const step = workerStepOf(event);
      return step !== undefined && this.#options.steps.includes(step);
    });
    return this.#route(ours, origin, REROUTES_MAX);
  }

  async #route(
    events: readonly Envelope[],
    origin: MessageOrigin,
    reroutesLeft: number,
  ): Promise<'done' | 'retry'> {
    const { slotMaps, runners } = this.#options;
    const map = slotMaps.current();
    const groups = [...byActingShard(map, events)];
    const outcomes = await Promise.all(
      groups.map(async ([shard, group]): Promise<ItemOutcome> => {
        const runner = runners.get(shard);
        if (!runner) return 'retry';
        const outcome = await runner.submit({ events: group, origin, map });
        if (outcome !== 'reroute') return outcome;
        return reroutesLeft > 0 ? this.#route(group, origin, reroutesLeft - 1) : 'retry';
      }),
    );
    return outcomes.every((outcome) => outcome === 'done') ? 'done' : 'retry';
  }

  /** A message that cannot be read names no shard: it goes where its partition's slots begin. */
  async #bury(
    message: IncomingMessage,
    origin: MessageOrigin,
    error: string,
  ): Promise<'done' | 'retry'> {
    const { slotMaps, partitions, deadLettersOf, metrics, log } = this.#options;
    const slot = firstSlotOfPartition(message.partition, partitions);
    const shard = shardOfSlot(slotMaps.current(), slot);
    try {
      const payload = message.value;
      await deadLettersOf(shard).insert({ origin, slot, eventId: null, payload, error });
    } catch (failure) {
      metrics.errorsTotal.inc({ kind: 'environment', shard });
      log.warn('a dead letter could not be stored, the partition waits', {
        origin,
        error: failure,
      });
      return 'retry';
    }
    metrics.errorsTotal.inc({ kind: 'dead_letter', shard });
    log.error('a message cannot be read and went to dead_letters', { origin, fault: error });
    return 'done';
  }
}

function decodeBatch(messages: readonly IncomingMessage[]): DecodedBatch {
  const readable: Decoded[] = [];
  for (const message of messages) {
    const decoded = decodeMessage(message.value);
    if (decoded.kind === 'unknown_schema') return { readable, unknownSchema: decoded.schema };
    readable.push({ message, ...decoded });
  }
  return { readable, unknownSchema: undefined };
}
