import { beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS, encodeEnvelope, encodeMessage, readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { evenSlotMap } from '@surety/domain';
import { CHANNELS, createLogger, createMetrics } from '@surety/runtime';
import { StoreError, openAccounts, requestTransfers } from '@surety/saga';
import type { LoadRequest, Loaded, Planned, RoutableStore, ShardStore } from '@surety/saga';
import { MemoryShardStore, aTransferRequest, anOpening, eur } from '@surety/testing';
import type { DeadLetter } from './dead-letters.js';
import { StepRunner } from './step-runner.js';

const log = createLogger({ process: 'workers', instance: 'spec', level: 'error' });
log.silent = true;
const ORIGIN = { topic: TOPICS.toSource, partition: 0, offset: '42' };
const MAP = evenSlotMap(1);
const ALICE = 'runner-alice';
const BOB = 'runner-bob';

/** The memory store, made to fail on demand before it does anything. */
class FailingStore implements RoutableStore {
  readonly memory = new MemoryShardStore(0, () => 1_700_000_000_000);
  readonly shard = 0;
  failWith: (load: LoadRequest) => Error | undefined = () => undefined;
  readonly epochs: bigint[] = [];

  at(epoch: bigint): ShardStore {
    this.epochs.push(epoch);
    return this;
  }

  async transact<R>(load: LoadRequest, decide: (loaded: Loaded) => Planned<R>): Promise<R> {
    const failure = this.failWith(load);
    if (failure) throw failure;
    return this.memory.transact(load, decide);
  }
}

class Scene {
  readonly store = new FailingStore();
  readonly letters: DeadLetter[] = [];
  readonly rings: string[] = [];
  readonly metrics = createMetrics('workers');
  reloads = 0;
  readonly runner = new StepRunner({
    store: this.store,
    slotMaps: {
      current: () => evenSlotMap(1),
      reload: async () => {
        this.reloads += 1;
        return evenSlotMap(1);
      },
    },
    deadLetters: {
      insert: async (letter) => {
        this.letters.push(letter);
      },
    },
    step: { holdTimeoutMs: 300_000, actor: 'saga' },
    chainsLocally: true,
    doorbell: {
      ring: (channel) => {
        this.rings.push(channel);
      },
      subscribe: async () => () => undefined,
      close: async () => undefined,
    },
    metrics: this.metrics,
    log,
  });

  async requested(count: number): Promise<readonly Envelope[]> {
    const overdraftLimit = 1_000_000n;
    const { memory } = this.store;
    await openAccounts(
      memory,
      [ALICE, BOB].map((id) => anOpening(id, { overdraftLimit })),
    );
    const requests = Array.from({ length: count }, (_, n) =>
      aTransferRequest({ n, source: ALICE, destination: BOB, amount: eur(100) }),
    );
    await requestTransfers(memory, requests);
    return requests.map(({ transferId }) => {
      const row = memory.rows.events.get(`${transferId}/10`);
      return readEnvelope(row!.envelope);
    });
  }

  states(): string[] {
    return Array.from(this.store.memory.rows.transfers.values(), (row) => row.state);
  }

  async count(step: string, outcome: string): Promise<number> {
    const { values } = await this.metrics.stepsTotal.get();
    const found = values.filter(
      ({ labels }) => labels['step'] === step && labels['outcome'] === outcome,
    );
    return found.reduce((sum, { value }) => sum + value, 0);
  }
}

describe('the steps of a shard', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  it('take everything that has gathered in one transaction and wake the relay', async () => {
    const events = await scene.requested(3);
    const before = scene.store.memory.commits;
    const outcomes = await Promise.all(
      events.map((event) => scene.runner.submit({ events: [event], origin: ORIGIN, map: MAP })),
    );
    expect(outcomes).toEqual(['done', 'done', 'done']);
    expect(scene.store.memory.commits - before).toBe(1);
    expect(scene.states()).toEqual(['committed', 'committed', 'committed']);
    expect(scene.rings).toEqual([CHANNELS.outbox(0)]);
  });

  it('count what they did, by step and outcome', async () => {
    const events = await scene.requested(2);
    await scene.runner.submit({ events, origin: ORIGIN, map: MAP });
    await scene.runner.submit({ events, origin: ORIGIN, map: MAP });
    expect(await scene.count('hold', 'held')).toBe(2);
    expect(await scene.count('credit', 'credited')).toBe(2);
    expect(await scene.count('commit', 'committed')).toBe(2);
    expect(await scene.count('hold', 'already_applied')).toBe(2);
  });

  it('change nothing and ring nobody for events that were applied before', async () => {
    const events = await scene.requested(2);
    await scene.runner.submit({ events, origin: ORIGIN, map: MAP });
    scene.rings.length = 0;
    expect(await scene.runner.submit({ events, origin: ORIGIN, map: MAP })).toBe('done');
    expect(scene.rings).toEqual([]);
  });

  it('are to be tried again where the shard is away, and nothing is dead-lettered', async () => {
    const events = await scene.requested(1);
    scene.store.failWith = () => new StoreError('environment', 'the shard is away');
    expect(await scene.runner.submit({ events, origin: ORIGIN, map: MAP })).toBe('retry');
    expect(scene.letters).toEqual([]);
  });

  it('are to be routed again after the map was read, where the epoch has risen', async () => {
    const events = await scene.requested(1);
    scene.store.failWith = () => new StoreError('epoch', 'the map is newer');
    expect(await scene.runner.submit({ events, origin: ORIGIN, map: MAP })).toBe('reroute');
    expect(scene.reloads).toBe(1);
  });

  it('are judged by the epoch they were routed with, the oldest of those that gathered', async () => {
    const events = await scene.requested(2);
    const newer = { ...MAP, epoch: 7n };
    await Promise.all(
      events.map((event, n) =>
        scene.runner.submit({ events: [event], origin: ORIGIN, map: n === 0 ? newer : MAP }),
      ),
    );
    expect(scene.store.epochs).toEqual([1n]);
  });

  it('follow on another shard by message where the map they were routed with says so', async () => {
    const events = await scene.requested(1);
    const elsewhere = { epoch: 1n, ranges: [{ fromSlot: 0, shard: 5 }] };
    await scene.runner.submit({ events, origin: ORIGIN, map: elsewhere });
    expect(scene.states()).toEqual(['held']);
  });

  it('dead-letter the one event that fails for its own sake; the others commit', async () => {
    const events = await scene.requested(5);
    const poison = events[3]!;
    scene.store.failWith = (load) =>
      load.transfers?.includes(poison.transferId)
        ? new StoreError('data', 'out of range')
        : undefined;
    expect(await scene.runner.submit({ events, origin: ORIGIN, map: MAP })).toBe('done');
    expect(scene.states().filter((state) => state === 'committed')).toHaveLength(4);
    expect(scene.letters).toEqual([
      {
        origin: ORIGIN,
        slot: poison.sourceSlot,
        eventId: poison.id,
        payload: encodeMessage([encodeEnvelope(poison)]),
        error: 'StoreError: out of range',
      },
    ]);
  });

  it('raise an alarm for an event whose transfer is missing, and change nothing', async () => {
    const [event] = await new Scene().requested(1);
    expect(await scene.runner.submit({ events: [event!], origin: ORIGIN, map: MAP })).toBe('done');
    const { values } = await scene.metrics.errorsTotal.get();
    expect(values).toMatchObject([{ labels: { kind: 'alarm:transfer_missing' }, value: 1 }]);
    expect(scene.rings).toEqual([]);
  });

  it('go in transactions of at most 400 events', async () => {
    const events = await scene.requested(900);
    const before = scene.store.memory.commits;
    await Promise.all(
      events.map((event) => scene.runner.submit({ events: [event], origin: ORIGIN, map: MAP })),
    );
    expect(scene.store.memory.commits - before).toBe(3);
  });
});
