import { beforeEach, describe, expect, it } from '@jest/globals';
import { ENVELOPE_SCHEMA, TOPICS, encodeEnvelope, encodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { evenSlotMap, slotOfAccount } from '@surety/domain';
import { createLogger, createMetrics } from '@surety/runtime';
import type { IncomingMessage } from '@surety/runtime';
import { aTransferId } from '@surety/testing';
import type { DeadLetter } from './dead-letters.js';
import { MessageHandler } from './message-handler.js';
import type { ItemOutcome, StepItem } from './step-runner.js';
import type { WorkerStep } from './worker-steps.js';

const SOURCE = 'handler-source';
const DESTINATION = 'handler-destination';
const log = createLogger({ process: 'workers', instance: 'spec', level: 'error' });
log.silent = true;

function requested(n: number, source = SOURCE): Envelope {
  const transferId = aTransferId(source, n);
  const at = '2026-01-31T10:15:30.123456Z';
  return {
    id: `${transferId}/10`,
    type: 'requested',
    schema: 1,
    transferId,
    step: 10,
    sourceSlot: slotOfAccount(source),
    destinationSlot: slotOfAccount(DESTINATION),
    requestedAt: at,
    occurredAt: at,
    actor: 'client:default',
    causation: null,
    traceparent: null,
    accounts: [],
    data: { kind: 'transfer', source, destination: DESTINATION, amount: '100', currency: 'EUR' },
  };
}

function message(offset: number, value: string): IncomingMessage {
  const topic = TOPICS.toSource;
  return { topic, partition: 3, offset: String(offset), value, timestampMs: 0 };
}

function ofEvents(offset: number, ...events: readonly Envelope[]): IncomingMessage {
  return message(offset, encodeMessage(events.map(encodeEnvelope)));
}

class Scene {
  map = evenSlotMap(2);
  readonly items: { shard: number; item: StepItem }[] = [];
  readonly letters: { shard: number; letter: DeadLetter }[] = [];
  outcomeOf: (shard: number, item: StepItem) => ItemOutcome = () => 'done';
  areDeadLettersAway = false;

  handler(steps: readonly WorkerStep[] = ['hold', 'credit', 'settle']): MessageHandler {
    const runner = (shard: number) => ({
      submit: async (item: StepItem): Promise<ItemOutcome> => {
        this.items.push({ shard, item });
        return this.outcomeOf(shard, item);
      },
    });
    return new MessageHandler({
      partitions: 16,
      steps,
      slotMaps: { current: () => this.map, reload: async () => this.map },
      runners: new Map([0, 1].map((shard) => [shard, runner(shard)])),
      deadLettersOf: (shard) => ({
        insert: async (letter) => {
          if (this.areDeadLettersAway) throw new Error('the shard is away');
          this.letters.push({ shard, letter });
        },
      }),
      metrics: createMetrics('workers'),
      log,
    });
  }
}

function batchOf(...messages: readonly IncomingMessage[]) {
  return { topic: TOPICS.toSource, partition: 3, messages };
}

/** Two accounts on different shards of two. */
function accountOn(shard: number): string {
  for (let n = 0; ; n += 1) {
    const id = `routed-${n}`;
    if (Math.floor((slotOfAccount(id) * 2) / 4096) === shard) return id;
  }
}

describe('a batch of a partition', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  it('goes to the shards that act on its events, with the origin of each', async () => {
    const [left, right] = [requested(1, accountOn(0)), requested(2, accountOn(1))];
    const verdict = await scene.handler().handle(batchOf(ofEvents(7, left, right)));
    expect(verdict).toEqual({ processed: 1 });
    const origin = { topic: TOPICS.toSource, partition: 3, offset: '7' };
    expect(scene.items).toEqual([
      { shard: 0, item: { events: [left], origin, map: evenSlotMap(2) } },
      { shard: 1, item: { events: [right], origin, map: evenSlotMap(2) } },
    ]);
  });

  it('counts as processed up to the first message that a shard failed', async () => {
    scene.outcomeOf = (_, { origin }) => (origin.offset === '8' ? 'retry' : 'done');
    const messages = [7, 8, 9].map((offset) => ofEvents(offset, requested(offset)));
    const verdict = await scene.handler().handle(batchOf(...messages));
    expect(verdict).toEqual({ processed: 1, stops: false });
    expect(scene.items).toHaveLength(3);
  });

  it('passes over events of steps that are another process’s', async () => {
    const verdict = await scene.handler(['settle']).handle(batchOf(ofEvents(7, requested(1))));
    expect(verdict).toEqual({ processed: 1 });
    expect(scene.items).toEqual([]);
  });

  it('asks the map again where the events went to a shard that does not carry them any more', async () => {
    const event = requested(1, accountOn(0));
    scene.outcomeOf = (shard) => {
      if (shard === 1) return 'done';
      scene.map = { epoch: 2n, ranges: [{ fromSlot: 0, shard: 1 }] };
      return 'reroute';
    };
    const verdict = await scene.handler().handle(batchOf(ofEvents(7, event)));
    expect(verdict).toEqual({ processed: 1 });
    expect(scene.items.map(({ shard }) => shard)).toEqual([0, 1]);
  });

  it('waits where the map never settles', async () => {
    scene.outcomeOf = () => 'reroute';
    const verdict = await scene.handler().handle(batchOf(ofEvents(7, requested(1))));
    expect(verdict).toEqual({ processed: 0, stops: false });
  });

  it('dead-letters a message that cannot be read where its partition’s slots begin, and goes on', async () => {
    const verdict = await scene
      .handler()
      .handle(batchOf(message(7, '{"not":"ours"'), ofEvents(8, requested(1))));
    expect(verdict).toEqual({ processed: 2 });
    expect(scene.letters).toMatchObject([
      { shard: 0, letter: { slot: 768, eventId: null, payload: '{"not":"ours"' } },
    ]);
  });

  it('dead-letters what cannot be read from a partition beyond the setting, too', async () => {
    const far = { ...message(7, 'nonsense'), partition: 31 };
    const verdict = await scene.handler().handle({ ...batchOf(far), partition: 31 });
    expect(verdict).toEqual({ processed: 1 });
    expect(scene.letters).toMatchObject([{ shard: 1, letter: { slot: 3840 } }]);
  });

  it('waits where a dead letter cannot be stored', async () => {
    scene.areDeadLettersAway = true;
    const verdict = await scene.handler().handle(batchOf(message(7, 'nonsense')));
    expect(verdict).toEqual({ processed: 0, stops: false });
  });

  it('stops for long before a message of a newer schema, and dead-letters nothing', async () => {
    const newer = message(8, JSON.stringify([{ ...requested(2), schema: ENVELOPE_SCHEMA + 1 }]));
    const messages = [ofEvents(7, requested(1)), newer, ofEvents(9, requested(3))];
    const verdict = await scene.handler().handle(batchOf(...messages));
    expect(verdict).toEqual({ processed: 1, retryAfterMs: 30_000, stops: true });
    expect(scene.letters).toEqual([]);
    expect(scene.items).toHaveLength(1);
  });

  it('stops there, too, while a shard of what comes before it is away', async () => {
    const newer = message(8, JSON.stringify([{ ...requested(2), schema: ENVELOPE_SCHEMA + 1 }]));
    scene.outcomeOf = () => 'retry';
    const verdict = await scene.handler().handle(batchOf(ofEvents(7, requested(1)), newer));
    expect(verdict).toMatchObject({ processed: 0, stops: true });
  });
});
