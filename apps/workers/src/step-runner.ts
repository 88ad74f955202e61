import { encodeEnvelope, encodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { InvariantViolation, oldestMapOf, shardOfSlot } from '@surety/domain';
import type { SlotMap } from '@surety/domain';
import { Batcher, CHANNELS, isolate, traceIdOf } from '@surety/runtime';
import type { Clock, Doorbell, Logger, Metrics } from '@surety/runtime';
import { StoreError, actingSlot, applySteps } from '@surety/saga';
import type { RoutableStore, SlotMaps, StepOptions, StepResult } from '@surety/saga';
import { describeFault } from './dead-letters.js';
import type { DeadLetters, MessageOrigin } from './dead-letters.js';
import { StepRecord } from './step-record.js';

/** Events of one transaction: beyond it transactions grow to seconds (measured), below it they fill. */
const EVENTS_PER_TRANSACTION = 400;
/** Small transactions one after the other take as long as fewer larger ones, and cost several times as much. */
const PACE = { ms: 12, fromWeight: 2 };
/** Items of all partitions together; what one fetch brings is far below it. */
const QUEUE_MAX = 50_000;

/** The events of one message that one shard acts on. */
export interface StepItem {
  readonly events: readonly Envelope[];
  readonly origin: MessageOrigin;
  /** The map that led them here: by the time they run there may be a newer one. */
  readonly map: SlotMap;
}

/**
 * done: committed, applied before, alarmed or dead-lettered. retry: the environment failed, nothing
 * is lost by trying again. reroute: the map has changed, ask it again where the events belong.
 */
export type ItemOutcome = 'done' | 'retry' | 'reroute';

export interface StepRunnerOptions {
  readonly store: RoutableStore;
  readonly slotMaps: SlotMaps;
  readonly deadLetters: DeadLetters;
  readonly step: Omit<StepOptions, 'continuesOn'>;
  /** Whether steps that follow on the same shard are taken in the same transaction. */
  readonly chainsLocally: boolean;
  readonly doorbell: Doorbell;
  readonly clock?: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

interface OriginatedEvent {
  readonly event: Envelope;
  readonly origin: MessageOrigin;
}

/** Errors of the data or of a rule about it. Whatever is not known as such is the environment's. */
function isFault(error: unknown): boolean {
  if (error instanceof StoreError) return error.kind === 'data';
  return (
    error instanceof InvariantViolation ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof SyntaxError
  );
}

/**
 * Takes the steps of one shard: everything that has gathered while the last transaction ran goes
 * into the next one, whatever partition it came from.
 */
export class StepRunner {
  readonly #options: StepRunnerOptions;
  readonly #record: StepRecord;
  readonly #batcher: Batcher<StepItem, ItemOutcome>;
  #isFailing = false;

  constructor(options: StepRunnerOptions) {
    this.#options = options;
    const { metrics, log, store, clock } = options;
    this.#record = new StepRecord({ shard: store.shard, metrics, log });
    this.#batcher = new Batcher({
      weightMax: EVENTS_PER_TRANSACTION,
      queueMax: QUEUE_MAX,
      pace: PACE,
      ...(clock ? { clock } : {}),
      weigh: (item) => item.events.length,
      run: (items) => this.#run(items),
    });
  }

  /** Never rejects. */
  async submit(item: StepItem): Promise<ItemOutcome> {
    try {
      return await this.#batcher.submit(item);
    } catch (error) {
      this.#count('queue', error);
      return 'retry';
    }
  }

  get depth(): number {
    return this.#batcher.depth;
  }

  stop(): Promise<void> {
    return this.#batcher.stop();
  }

  async #run(items: readonly StepItem[]): Promise<readonly ItemOutcome[]> {
    try {
      const events = items.flatMap((item) =>
        item.events.map((event) => ({ event, origin: item.origin })),
      );
      await this.#take(events, oldestMapOf(items.map((item) => item.map)));
      this.#recovered();
      return items.map(() => 'done');
    } catch (error) {
      const outcome = await this.#afterFailure(error);
      return items.map(() => outcome);
    }
  }

  async #take(events: readonly OriginatedEvent[], map: SlotMap): Promise<void> {
    const { faulty } = await isolate(events, (part) => this.#transact(part, map), isFault);
    for (const { item, error } of faulty) await this.#bury(item, error);
  }

  async #transact(part: readonly OriginatedEvent[], map: SlotMap): Promise<readonly StepResult[]> {
    const { store, step, chainsLocally, doorbell } = this.#options;
    const causes = part.map(({ event }) => event);
    const continuesOn = (slot: number): boolean => shardOfSlot(map, slot) === store.shard;
    const results = await applySteps(store.at(map.epoch), causes, {
      ...step,
      ...(chainsLocally ? { continuesOn } : {}),
    });
    this.#record.committed(causes, results);
    if (results.some((result) => result.kind === 'applied')) {
      doorbell.ring(CHANNELS.outbox(store.shard));
    }
    return results;
  }

  async #bury({ event, origin }: OriginatedEvent, error: unknown): Promise<void> {
    const { deadLetters, metrics, log, store } = this.#options;
    const { transferId, traceparent } = event;
    metrics.errorsTotal.inc({ kind: 'dead_letter', shard: store.shard });
    log.error('an event fails for its own sake and goes to dead_letters', {
      ...{ transferId, traceId: traceIdOf(traceparent), event: event.id },
      ...{ shard: store.shard, origin, error },
    });
    await deadLetters.insert({
      origin,
      slot: actingSlot(event),
      eventId: event.id,
      payload: encodeMessage([encodeEnvelope(event)]),
      error: describeFault(error),
    });
  }

  async #afterFailure(error: unknown): Promise<ItemOutcome> {
    if (error instanceof StoreError && error.kind === 'epoch') {
      this.#count('epoch', error);
      // Where the map cannot be read the events meet the old epoch again and come back here.
      return this.#options.slotMaps.reload().then(
        () => 'reroute' as const,
        () => 'retry' as const,
      );
    }
    this.#count('environment', error);
    return 'retry';
  }

  #count(kind: string, error: unknown): void {
    const { metrics, log, store } = this.#options;
    metrics.errorsTotal.inc({ kind, shard: store.shard });
    if (this.#isFailing) return;
    this.#isFailing = true;
    log.warn('steps of a shard fail, its partitions wait', { shard: store.shard, kind, error });
  }

  #recovered(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#options.log.info('steps of the shard succeed again', {
      shard: this.#options.store.shard,
    });
  }
}
