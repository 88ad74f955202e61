import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openShards } from '@surety/db';
import type { Shard } from '@surety/db';
import { createDoorbell, createMetrics, createPublisher, startConsumer } from '@surety/runtime';
import type { Lease, ListeningDoorbell, MessageConsumer, MessagePublisher } from '@surety/runtime';
import { NO_CHANGES } from '@surety/saga';
import { until } from '@surety/testing';
import {
  createTestTopics,
  silentLog,
  testBrokers,
  testEnvironment,
  testRedisUrl,
} from '@surety/testing/servers';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { shardLeaseRow, shardOutbox } from './shard-adapters.js';
import { LEASE_TTL_MS, ShardUnit } from './shard-unit.js';
import { start } from './start.js';

const log = silentLog('relay');
const brokers = testBrokers();
const redisUrl = testRedisUrl();

/** Of each topic that `createTestTopics` makes. */
const PARTITIONS = 16;

/** Believes that it leads, whoever else does. */
const ALWAYS: Lease = {
  acquire: async () => 1n,
  renew: async () => true,
  release: async () => undefined,
};

describe('relaying outboxes to Kafka', () => {
  let shards: TestShards;
  let publisher: MessagePublisher;
  let doorbell: ListeningDoorbell;
  /** All messages go here, whatever topic their rows name. */
  let topic: string;
  let consumer: MessageConsumer;
  let units: ShardUnit[] = [];
  const received: string[] = [];

  beforeAll(async () => {
    topic = (await createTestTopics('relay')).names.toSource;
    publisher = await createPublisher({ brokers, clientId: topic, log });
    doorbell = createDoorbell({ url: redisUrl, log });
    consumer = await startConsumer({
      ...{ brokers, clientId: topic, groupId: topic, topics: [topic], log },
      handle: async ({ messages }) => {
        received.push(...messages.map((message) => message.value));
        return { processed: messages.length };
      },
    });
  });
  afterAll(async () => {
    await consumer.stop();
    await publisher.close();
    await doorbell.close();
  });
  beforeEach(async () => {
    shards = await createTestShards({ count: 2 });
    received.length = 0;
  });
  afterEach(async () => {
    await Promise.all(units.map((unit) => unit.stop()));
    units = [];
    await shards.drop();
  });

  async function relay(shard: Shard, lease: Lease): Promise<ShardUnit> {
    const unit = new ShardUnit({
      ...{ shard: shard.id, outbox: shardOutbox(shard, () => topic), lease, publisher, doorbell },
      ...{ metrics: createMetrics('relay'), log },
      partitions: PARTITIONS,
    });
    units.push(unit);
    await unit.start();
    return unit;
  }

  function shardAt(index: number): Shard {
    return shards.pools.shards[index]!;
  }

  async function insert(
    shard: Shard,
    payloads: readonly string[],
    partitionOf = (at: number) => at % PARTITIONS,
  ): Promise<void> {
    const outbox = payloads.map((payload, at) => {
      return { topic: 'toSource', partition: partitionOf(at), payload } as const;
    });
    const result = undefined;
    await shard.store.transact({}, () => ({ changes: { ...NO_CHANGES, outbox }, result }));
  }

  async function outboxRows(shard: Shard): Promise<number> {
    const [result] = await shard.send(['SELECT COUNT(*) FROM outbox']);
    return Number(result?.rows[0]?.[0]);
  }

  function insertSql(payload: string): string {
    return (
      'INSERT INTO outbox (topic, topic_partition, payload, created_at) ' +
      `VALUES ('toSource', 0, '${payload}', NOW(6))`
    );
  }

  it('publishes every committed row and empties the outbox', async () => {
    const shard = shardAt(0);
    await relay(shard, shardLeaseRow(shard, 'one', LEASE_TTL_MS));
    const payloads = Array.from({ length: 700 }, (_, at) => `all-${at}`);
    for (let at = 0; at < payloads.length; at += 70) {
      await insert(shard, payloads.slice(at, at + 70));
    }
    await until(() => received.length >= payloads.length);
    await until(async () => (await outboxRows(shard)) === 0);
    expect([...received].sort()).toEqual([...payloads].sort());
  });

  it('publishes rows for partitions that are gone, and what follows them', async () => {
    const shard = shardAt(0);
    await relay(shard, shardLeaseRow(shard, 'one', LEASE_TTL_MS));
    const payloads = Array.from({ length: 40 }, (_, at) => `gone-${at}`);
    await insert(shard, payloads, (at) => at + PARTITIONS - 1);
    await insert(shard, ['follows']);
    await until(() => received.length >= payloads.length + 1);
    await until(async () => (await outboxRows(shard)) === 0);
    expect([...received].sort()).toEqual([...payloads, 'follows'].sort());
  });

  it('publishes a row whose number is lower than what it relayed before', async () => {
    const shard = shardAt(0);
    await relay(shard, shardLeaseRow(shard, 'one', LEASE_TTL_MS));
    await insert(shard, ['first']);
    await until(() => received.includes('first'));
    await shard.pool.use(async (link) => {
      await link.send(['START TRANSACTION', insertSql('late')]);
      await insert(shard, ['early-1', 'early-2']);
      await until(async () => received.length === 3 && (await outboxRows(shard)) === 0);
      await link.send(['COMMIT']);
    });
    await until(() => received.includes('late'));
    await until(async () => (await outboxRows(shard)) === 0);
    expect(received).toHaveLength(4);
  });

  it('passes over numbers of transactions that were rolled back', async () => {
    const shard = shardAt(0);
    await relay(shard, shardLeaseRow(shard, 'one', LEASE_TTL_MS));
    await shard.pool.use((link) =>
      link.send(['START TRANSACTION', insertSql('undone'), 'ROLLBACK']),
    );
    await insert(shard, ['done']);
    await until(async () => received.length > 0 && (await outboxRows(shard)) === 0);
    expect(received).toEqual(['done']);
  });

  it('causes nothing but duplicates where two relay one shard at once', async () => {
    const shard = shardAt(0);
    await relay(shard, ALWAYS);
    await relay(shard, ALWAYS);
    const payloads = Array.from({ length: 300 }, (_, at) => `twice-${at}`);
    for (const payload of payloads) await insert(shard, [payload]);
    await until(async () => (await outboxRows(shard)) === 0);
    await until(() => new Set(received).size === payloads.length);
  });

  it('goes on with another instance when the one that leads gives up the lease', async () => {
    const shard = shardAt(0);
    const first = await relay(shard, shardLeaseRow(shard, 'one', LEASE_TTL_MS));
    await insert(shard, ['by-the-first']);
    await until(() => received.includes('by-the-first'));
    await relay(shard, shardLeaseRow(shard, 'two', LEASE_TTL_MS));
    await first.stop();
    await insert(shard, ['by-the-second']);
    await until(() => received.includes('by-the-second'));
    expect(received).toEqual(['by-the-first', 'by-the-second']);
  });

  it('relays a shard while another one is away', async () => {
    const away = openShards({
      ...{ urls: ['mysql://root:none@127.0.0.1:9/nothing'], poolSize: 1, partitions: 1 },
    });
    try {
      await relay(away.shards[0]!, shardLeaseRow(away.shards[0]!, 'one', LEASE_TTL_MS));
      await relay(shardAt(1), shardLeaseRow(shardAt(1), 'one', LEASE_TTL_MS));
      await insert(shardAt(1), ['alone']);
      await until(() => received.includes('alone'));
    } finally {
      await Promise.all(units.splice(0).map((unit) => unit.stop()));
      await away.close();
    }
  });

  it('runs as a process: ready, measured, and stopped in good order', async () => {
    const running = await start(testEnvironment(shards.urls));
    const url = `http://127.0.0.1:${running.adminPort}`;
    await until(async () => (await fetch(`${url}/readyz`)).status === 200);
    await until(async () =>
      (await (await fetch(`${url}/metrics`)).text()).includes('surety_outbox_rows{shard="1"'),
    );
    await running.stop();
    await running.done;
    const leases = await shardAt(0).send(['SELECT expires_at <= NOW(6) FROM leases']);
    expect(Number(leases[0]?.rows[0]?.[0])).toBe(1);
  });
});
