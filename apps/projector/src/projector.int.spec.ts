import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPIC_NAMES, balanceCopyKey, decodeMessage, statusCopyKey } from '@surety/contracts';
import type { Topic } from '@surety/contracts';
import { deleteOutbox, readOutbox } from '@surety/db';
import type { Shard } from '@surety/db';
import { shardOfSlot, slotOfAccount } from '@surety/domain';
import {
  CHANNELS,
  connectRedis,
  createDoorbell,
  createMetrics,
  createPublisher,
  createTopics,
  startConsumer,
} from '@surety/runtime';
import type { Doorbell, MessageConsumer, MessagePublisher, RedisHandle } from '@surety/runtime';
import { actingSlot, applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import { aDeposit, aTransferId, aTransferRequest, anOpening, eur, until } from '@surety/testing';
import {
  createTestTopics,
  silentLog,
  testBrokers,
  testEnvironment,
  testRedisUrl,
} from '@surety/testing/servers';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { createHandler } from './create-handler.js';
import { rebuildProjections } from './rebuild-projections.js';
import { start } from './start.js';

const log = silentLog('projector');
const brokers = testBrokers();
const redisUrl = testRedisUrl();

/** A message of the outbox, kept to be sent in any order and number. */
interface Sent {
  readonly topic: Topic;
  readonly partition: number;
  readonly payload: string;
}

describe('projections on real shards, a real broker and a real Redis', () => {
  let shards: TestShards;
  let publisher: MessagePublisher;
  let doorbell: Doorbell;
  let redis: RedisHandle;
  let names: Readonly<Record<Topic, string>>;
  const release: (() => Promise<void>)[] = [];
  let messages: Sent[] = [];
  let accounts: string[] = [];
  let transferIds: string[] = [];

  beforeAll(async () => {
    publisher = await createPublisher({ brokers, clientId: 'projector-spec', log });
    doorbell = createDoorbell({ url: redisUrl, log });
    redis = connectRedis({ url: redisUrl, name: 'projector-spec', log });
    await until(() => redis.available);
  });
  afterAll(async () => {
    await publisher.close();
    await doorbell.close();
    await redis.close();
  });

  beforeEach(async () => {
    shards = await createTestShards({ count: 2 });
    const topics = await createTestTopics('projector');
    names = topics.names;
    accounts = Array.from({ length: 8 }, (_, n) => `${topics.prefix}-${n}`);
    await runTransfers();
  });
  afterEach(async () => {
    for (const one of release.splice(0).reverse()) await one();
    await shards.drop();
  });

  function shardOf(slot: number): Shard {
    return shards.pools.shards[shardOfSlot(shards.pools.slotMaps.current(), slot)]!;
  }

  /** Transfers of every outcome, driven to their ends without a broker; keeps all messages. */
  async function runTransfers(): Promise<void> {
    messages = [];
    for (const id of accounts) {
      const { store } = shardOf(slotOfAccount(id));
      await openAccounts(store, [anOpening(id)]);
      await fundAccounts(store, [aDeposit(id, eur(10_000), 1)]);
    }
    const requests = Array.from({ length: 24 }, (_, n) => {
      const [source, destination] = [accounts[n % 8]!, accounts[(n * 3 + 1) % 8]!];
      const amount = eur(n % 5 === 0 ? 999_999 : 100 + n);
      const missing = n % 7 === 0 ? 'nobody-has-this-account' : destination;
      return aTransferRequest({ n, source, destination: missing, amount });
    }).filter(({ source, destination }) => source !== destination);
    transferIds = requests.map((request) => request.transferId);
    for (const request of requests) {
      await requestTransfers(shardOf(slotOfAccount(request.source)).store, [request]);
    }
    while ((await drain()) > 0);
  }

  /** Takes what lies in the outboxes and runs the steps it asks for. */
  async function drain(): Promise<number> {
    let count = 0;
    for (const shard of shards.pools.shards) {
      const rows = await readOutbox(shard, 0n, 1_000);
      messages.push(
        ...rows.map(({ topic, partition, payload }) => ({ topic, partition, payload })),
      );
      for (const { payload } of rows) await act(payload);
      const seqs = rows.map((row) => row.seq);
      await deleteOutbox(shard, seqs);
      count += rows.length;
    }
    return count;
  }

  async function act(payload: string): Promise<void> {
    const decoded = decodeMessage(payload);
    if (decoded.kind !== 'events') throw new Error(`cannot decode ${payload}`);
    for (const event of decoded.events) {
      const options = { holdTimeoutMs: 300_000, actor: 'saga' };
      await applySteps(shardOf(actingSlot(event)).store, [event], options);
    }
  }

  async function project(handle: RedisHandle = redis): Promise<MessageConsumer> {
    const means = { partitions: 8, pools: shards.pools, redis: handle, doorbell, log };
    const { handler, stop } = createHandler({ ...means, metrics: createMetrics('projector') });
    release.push(stop);
    const consumer = await startConsumer({
      ...{ brokers, clientId: names.ended, groupId: names.ended, log },
      topics: Object.values(names),
      handle: (batch, attempt) => handler.handle(batch, attempt),
    });
    release.push(() => consumer.stop());
    return consumer;
  }

  async function publish(sent: readonly Sent[]): Promise<void> {
    const outgoing = sent.map(({ topic, partition, payload }) => ({
      ...{ topic: names[topic], partition, value: payload },
    }));
    await publisher.publish(outgoing);
  }

  async function projected(): Promise<string> {
    const dumps = await Promise.all(
      shards.pools.shards.map((shard) =>
        shard.send([
          'SELECT * FROM balances ORDER BY account_id',
          'SELECT * FROM transaction_status ORDER BY transfer_id',
        ]),
      ),
    );
    return JSON.stringify(dumps.flat().map(({ rows }) => rows.map((row) => row.map(String))));
  }

  /** The same rows as the authority on money and states has them. */
  async function untilTrue(): Promise<void> {
    await until(async () => (await differences()) === 0);
  }

  async function differences(): Promise<number> {
    let count = 0;
    for (const shard of shards.pools.shards) {
      const answers = await shard.send([
        'SELECT a.id FROM accounts a LEFT JOIN balances b ON b.account_id = a.id AND ' +
          'b.balance = a.balance AND b.held = a.held AND b.version = a.version AND ' +
          'b.slot = a.slot AND b.currency = a.currency WHERE b.account_id IS NULL',
        'SELECT t.id FROM transfers t LEFT JOIN transaction_status s ON s.transfer_id = t.id AND ' +
          's.status = t.state AND s.slot = t.slot AND s.reason <=> t.reason ' +
          'WHERE s.transfer_id IS NULL',
      ]);
      count += answers.reduce((sum, { rows }) => sum + rows.length, 0);
    }
    return count;
  }

  it('come to what accounts and transfers say', async () => {
    await project();
    await publish(messages);
    await untilTrue();
    const keys = [...transferIds.map(statusCopyKey), ...accounts.map(balanceCopyKey)];
    await until(async () => (await redis.client.exists(...keys)) === keys.length);
  });

  it('come to the same from messages that are reversed and repeated', async () => {
    const consumer = await project();
    await publish([...messages].reverse());
    await untilTrue();
    const before = await projected();
    await publish([...messages, ...messages]);
    await until(async () => [...(await consumer.lag()).values()].every((waiting) => waiting === 0));
    expect(await projected()).toBe(before);
  });

  it('tell of every end', async () => {
    const told = new Set<string>();
    const unsubscribe = await doorbell.subscribe(CHANNELS.ended, (payload) => {
      for (const id of payload.split(',')) told.add(id);
    });
    await project();
    await publish(messages);
    await until(() => transferIds.every((id) => told.has(id)));
    unsubscribe();
  });

  it('are complete without Redis', async () => {
    const away = connectRedis({ url: 'redis://127.0.0.1:9', name: 'away', log });
    release.push(() => away.close());
    await project(away);
    await publish(messages);
    await untilTrue();
  });

  it('are the same after a rebuild from zero, whatever stood there before', async () => {
    await project();
    await publish(messages);
    await untilTrue();
    const before = await projected();
    const [shard] = shards.pools.shards;
    const strange = aTransferId(accounts[0]!, 4_711).replaceAll('-', '');
    await shard!.send([
      'UPDATE balances SET balance = 1, version = version + 1000',
      'DELETE FROM transaction_status LIMIT 3',
      'INSERT INTO transaction_status (transfer_id, slot, status, version, updated_at) ' +
        `VALUES (x'${strange}', 0, 'held', 20, NOW(6))`,
    ]);
    await rebuildProjections(shards.pools.shards, { log, redis });
    expect(await projected()).toBe(before);
  });

  it('can be rebuilt while they are written', async () => {
    await project();
    const half = Math.ceil(messages.length / 2);
    await publish(messages.slice(0, half));
    await Promise.all([
      rebuildProjections(shards.pools.shards, { log, redis }),
      publish(messages.slice(half)),
    ]);
    await untilTrue();
  });

  it('run as a process: ready, measured, and stopped in good order', async () => {
    await createTopics({ brokers, topics: TOPIC_NAMES, partitions: 16 });
    const running = await start(testEnvironment(shards.urls));
    const url = `http://127.0.0.1:${running.adminPort}`;
    await until(async () => (await fetch(`${url}/readyz`)).status === 200);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('surety_batch_items');
    await running.stop();
    await running.done;
  });
});
