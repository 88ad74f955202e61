import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPIC_NAMES, encodeEnvelope, encodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { deleteOutbox, findTransfer, listDeadLetters, openShards, readOutbox } from '@surety/db';
import type { Shard, ShardPools } from '@surety/db';
import { shardOfSlot, slotOfAccount } from '@surety/domain';
import {
  createDoorbell,
  createMetrics,
  createPublisher,
  ConfigurationError,
  createTopics,
  startConsumer,
} from '@surety/runtime';
import type { Doorbell, MessageConsumer, MessagePublisher, OutgoingMessage } from '@surety/runtime';
import { fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import type { TransferRequest } from '@surety/saga';
import { aDeposit, aTransferId, aTransferRequest, anOpening, eur, until } from '@surety/testing';
import {
  createTestTopics,
  silentLog,
  testBrokers,
  testEnvironment,
  testRedisUrl,
} from '@surety/testing/servers';
import type { TestTopics } from '@surety/testing/servers';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { createHandler } from './create-handler.js';
import { start } from './start.js';

const log = silentLog('workers');
const brokers = testBrokers();
const redisUrl = testRedisUrl();

/** The way to a database server, which can be cut and mended. */
class Cable {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  constructor({ hostname, port }: URL) {
    this.server = createServer((near) => {
      const far = connect(Number(port), hostname);
      if (this.isCut) near.destroy();
      for (const socket of [near, far]) {
        this.sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          this.sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('workers on real shards and a real broker', () => {
  let shards: TestShards;
  let cable: Cable;
  /** What the workers use: the way to shard 1 leads through the cable. */
  let pools: ShardPools;
  let wires: TestTopics;
  let publisher: MessagePublisher;
  let doorbell: Doorbell;
  let consumer: MessageConsumer;
  let stopHandler: () => Promise<void>;
  let isRelaying = true;
  let relaying: Promise<void>;
  const sent: OutgoingMessage[] = [];
  /** Two accounts on each shard. */
  let accounts: readonly (readonly [string, string])[];

  beforeAll(async () => {
    publisher = await createPublisher({ brokers, clientId: 'workers-spec', log });
    doorbell = createDoorbell({ url: redisUrl, log });
  });
  afterAll(async () => {
    await publisher.close();
    await doorbell.close();
  });

  beforeEach(async () => {
    shards = await createTestShards({ count: 2 });
    const url = new URL(shards.urls[1]!);
    cable = new Cable(url);
    url.port = String(await cable.listen());
    pools = openShards({ urls: [shards.urls[0]!, url.href], poolSize: 4, partitions: 1 });
    await pools.ready();
    wires = await createTestTopics('workers');
    await openScene();
    sent.length = 0;
    isRelaying = true;
    relaying = relayAll();
    await startWorkers();
  });
  afterEach(async () => {
    await consumer.stop();
    await stopHandler();
    isRelaying = false;
    await relaying;
    await pools.close();
    await cable.close();
    await shards.drop();
  });

  async function startWorkers(): Promise<void> {
    const config = { steps: ['hold', 'credit', 'settle'], chainsLocally: false } as const;
    const { handler, stop } = createHandler(
      { ...config, partitions: 8, holdTimeoutMs: 300_000 },
      { pools, doorbell, metrics: createMetrics('workers'), log },
    );
    stopHandler = stop;
    const { toSource, toDestination } = wires.names;
    consumer = await startConsumer({
      ...{ brokers, clientId: wires.prefix, groupId: wires.prefix, log },
      topics: [toSource, toDestination],
      handle: (batch) => handler.handle(batch),
    });
  }

  /** What the relay does, as simply as it can be done. */
  async function relayAll(): Promise<void> {
    while (isRelaying) {
      for (const shard of shards.pools.shards) await relayOnce(shard);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function relayOnce(shard: Shard): Promise<void> {
    const rows = await readOutbox(shard, 0n, 100);
    if (rows.length === 0) return;
    const messages = rows.map(({ topic, partition, payload }) => ({
      ...{ topic: wires.names[topic], partition, value: payload },
    }));
    await publisher.publish(messages);
    sent.push(...messages);
    await deleteOutbox(
      shard,
      rows.map((row) => row.seq),
    );
  }

  function shardOf(account: string): Shard {
    const id = shardOfSlot(shards.pools.slotMaps.current(), slotOfAccount(account));
    return shards.pools.shards[id]!;
  }

  function accountsOn(shard: number): readonly [string, string] {
    const candidates = Array.from({ length: 64 }, (_, n) => `worker-account-${n}`);
    const [first, second] = candidates.filter((id) => shardOf(id).id === shard);
    return [first!, second!];
  }

  async function openScene(): Promise<void> {
    accounts = [accountsOn(0), accountsOn(1)];
    for (const id of accounts.flat()) {
      const { store } = shardOf(id);
      await openAccounts(store, [anOpening(id)]);
      await fundAccounts(store, [aDeposit(id, eur(10_000), 1)]);
    }
  }

  async function request(
    n: number,
    source: string,
    destination: string,
    amountMinor = 100,
  ): Promise<TransferRequest> {
    const asked = aTransferRequest({ n, source, destination, amount: eur(amountMinor) });
    await requestTransfers(shardOf(source).store, [asked]);
    return asked;
  }

  async function stateOf({ source, transferId }: TransferRequest): Promise<string | undefined> {
    return (await findTransfer(shardOf(source), transferId))?.state;
  }

  async function untilEnded(requests: readonly TransferRequest[]): Promise<string[]> {
    const states: string[] = [];
    for (const asked of requests) {
      await until(async () => !['requested', 'held'].includes((await stateOf(asked)) ?? ''));
      states.push((await stateOf(asked))!);
    }
    return states;
  }

  /** Everything that steps can change, row by row. */
  async function tables(): Promise<string> {
    const names = ['accounts', 'transfers', 'transfer_events', 'open_transfers', 'holds'];
    const more = ['decisions', 'ledger_entries', 'idempotency_keys', 'dead_letters'];
    const dumps = await Promise.all(
      shards.pools.shards.map((shard) =>
        shard.send([...names, ...more].map((name) => `SELECT * FROM ${name}`)),
      ),
    );
    const rows = dumps.flat().map(({ rows: all }) => all.map((row) => row.map(String).join('|')));
    return JSON.stringify(rows.map((all) => all.sort()));
  }

  it('take transfers to their ends, across shards and on one', async () => {
    const [[a, b], [c, d]] = accounts as [[string, string], [string, string]];
    const requests = await Promise.all([
      request(1, a, c),
      request(2, d, b),
      request(3, a, b),
      request(4, c, d, 9_999_999),
      request(5, b, 'nobody-has-this-account'),
    ]);
    const states = await untilEnded(requests);
    expect(states).toEqual(['committed', 'committed', 'committed', 'rejected', 'rejected']);
  });

  it('change nothing however often and in whatever order all messages come again', async () => {
    const [[a, b], [c, d]] = accounts as [[string, string], [string, string]];
    const pairs = [
      [a, c],
      [c, a],
      [b, d],
      [d, 'nobody'],
    ] as const;
    const requests = await Promise.all(
      Array.from({ length: 40 }, (_, n) => {
        const [source, destination] = pairs[n % 4]!;
        return request(n, source, destination);
      }),
    );
    await untilEnded(requests);
    await until(async () => (await consumer.lag()).size > 0 && (await lagIsZero()));
    const before = await tables();
    const all = [...sent];
    await publisher.publish([...all, ...all.reverse()]);
    await until(lagIsZero);
    expect(await tables()).toBe(before);
  });

  async function lagIsZero(): Promise<boolean> {
    return [...(await consumer.lag()).values()].every((messages) => messages === 0);
  }

  it('put a message that cannot be read into dead_letters and go on behind it', async () => {
    const [[a], [c]] = accounts as [[string, string], [string, string]];
    const partition = Math.floor(slotOfAccount(a) / 256);
    const topic = wires.names.toSource;
    await publisher.publish([{ topic, partition, value: 'poison' }]);
    const asked = await request(1, a, c);
    expect(await untilEnded([asked])).toEqual(['committed']);
    const letters = await listDeadLetters(shardOf(a), 10);
    expect(letters).toMatchObject([
      { consumer: 'workers', topic, partition, payload: 'poison', eventId: null },
    ]);
  });

  it('put the one event that its shard cannot store into dead_letters; the others commit', async () => {
    const [[a], [c, d]] = accounts as [[string, string], [string, string]];
    const poison = heldFor(aNameThatNoColumnTakes(shardOf(c)), a);
    const partition = Math.floor(poison.destinationSlot / 256);
    const value = encodeMessage([encodeEnvelope(poison)]);
    await publisher.publish([{ topic: wires.names.toDestination, partition, value }]);
    const requests = await Promise.all([request(1, a, c), request(2, a, d), request(3, c, d)]);
    expect(await untilEnded(requests)).toEqual(['committed', 'committed', 'committed']);
    await until(async () => (await listDeadLetters(shardOf(c), 10)).length > 0);
    expect(await listDeadLetters(shardOf(c), 10)).toMatchObject([
      { eventId: poison.id, payload: value, slot: poison.destinationSlot },
    ]);
  });

  /** Decodes as an event does, and is refused by the shard that should act on it. */
  function heldFor(destination: string, source: string): Envelope {
    const transferId = aTransferId(source, 999);
    const at = '2026-01-31T10:15:30.123456Z';
    return {
      ...{ id: `${transferId}/20`, type: 'held', schema: 1, transferId, step: 20 },
      ...{ sourceSlot: slotOfAccount(source), destinationSlot: slotOfAccount(destination) },
      ...{ requestedAt: at, occurredAt: at, actor: 'saga', causation: null, traceparent: null },
      accounts: [],
      data: { kind: 'transfer', source, destination, amount: '100', currency: 'EUR' },
    };
  }

  function aNameThatNoColumnTakes(shard: Shard): string {
    const names = Array.from({ length: 64 }, (_, n) => `not an account's name ${n}`);
    return names.find((name) => shardOf(name) === shard)!;
  }

  it('go on with one shard while the other is away, and end everything after it is back', async () => {
    const [[a, b], [c, d]] = accounts as [[string, string], [string, string]];
    cable.cut();
    const waiting = await Promise.all([request(1, a, c), request(2, c, d), request(3, d, a)]);
    const going = await Promise.all([request(4, a, b), request(5, b, a)]);
    expect(await untilEnded(going)).toEqual(['committed', 'committed']);
    const states = await Promise.all(waiting.map(stateOf));
    expect(states).not.toContain('committed');
    cable.mend();
    expect(await untilEnded(waiting)).toEqual(['committed', 'committed', 'committed']);
    for (const shard of shards.pools.shards) {
      expect(await listDeadLetters(shard, 10)).toEqual([]);
    }
  });

  it('do not start with more partitions set than their topics have', async () => {
    await createTopics({ brokers, topics: TOPIC_NAMES, partitions: 16 });
    const environment = { ...testEnvironment(shards.urls), SURETY_PARTITIONS: '1024' };
    const refused = await start(environment).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigurationError);
    expect((refused as ConfigurationError).mistakes).toHaveLength(TOPIC_NAMES.length);
  });

  it('run as a process: ready, measured, and stopped in good order', async () => {
    await createTopics({ brokers, topics: TOPIC_NAMES, partitions: 16 });
    const running = await start({
      ...testEnvironment(shards.urls),
      SURETY_WORKER_STEPS: 'credit',
    });
    const url = `http://127.0.0.1:${running.adminPort}`;
    await until(async () => (await fetch(`${url}/readyz`)).status === 200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('surety_steps_total');
    const lines = metrics.split('\n').filter((line) => line.startsWith('surety_worker_step_on'));
    expect(lines.sort()).toEqual([
      'surety_worker_step_on{step="credit",process="workers"} 1',
      'surety_worker_step_on{step="hold",process="workers"} 0',
      'surety_worker_step_on{step="settle",process="workers"} 0',
    ]);
    await running.stop();
    await running.done;
  });
});
