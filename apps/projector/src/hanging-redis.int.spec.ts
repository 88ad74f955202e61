import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { balanceCopyKey } from '@surety/contracts';
import type { BalanceRow } from '@surety/db';
import { connectRedis, createDoorbell, createMetrics } from '@surety/runtime';
import type { Doorbell, RedisHandle } from '@surety/runtime';
import { until } from '@surety/testing';
import { silentLog, testRedisUrl } from '@surety/testing/servers';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { ProjectionFold } from './projected-rows.js';
import { RedisCopies } from './redis-copies.js';
import { projectionStore } from './shard-adapters.js';
import { ShardProjection } from './shard-projection.js';

const log = silentLog('projector');
const redisUrl = testRedisUrl();
/** Without a time-out: what waits for a Redis that hangs would wait for ever. */
const PATIENT = { commandTimeout: undefined, socketTimeout: undefined } as const;

/** The way to Redis, on which a spec can make everything stop, as where the server hangs. */
class Way {
  readonly #server = createServer((near) => this.#lead(near));
  readonly #sockets = new Set<Socket>();
  #isHanging = false;

  #lead(near: Socket): void {
    const { hostname, port } = new URL(redisUrl);
    const far = connect(Number(port || '6379'), hostname);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
      if (this.#isHanging) socket.pause();
    }
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections are taken, and nothing passes. */
  hang(): void {
    this.#isHanging = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** What was held up passes. */
  goOn(): void {
    this.#isHanging = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** What was held up is lost, as where the server is started anew. */
  restart(): void {
    this.#isHanging = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.restart();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function rowOf(accountId: string, version: bigint): BalanceRow {
  const updatedAt = '2026-01-31T10:15:30.000000Z';
  return { accountId, slot: 0, balance: version, held: 0n, version, updatedAt, currency: 'EUR' };
}

describe('while Redis hangs', () => {
  let shards: TestShards;
  let direct: RedisHandle;
  let doorbell: Doorbell;
  let way: Way;
  let redis: RedisHandle;
  let prefix: string;
  const release: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    shards = await createTestShards();
    direct = connectRedis({ url: redisUrl, name: 'hanging-spec', log });
    doorbell = createDoorbell({ url: redisUrl, log });
    await until(() => direct.available);
  });
  afterAll(async () => {
    await Promise.all([direct.close(), doorbell.close()]);
    await shards.drop();
  });
  beforeEach(async () => {
    prefix = randomUUID();
    way = new Way();
    redis = connectRedis({ url: await way.open(), name: 'hanging-spec-copies', log });
    release.push(() => redis.close());
    await until(() => redis.available);
  });
  afterEach(async () => {
    way.goOn();
    for (const one of release.splice(0).reverse()) await one();
    await way.close();
  });

  function project(handle: Pick<RedisHandle, 'client' | 'available'>): ShardProjection {
    const projection = new ShardProjection({
      ...{ store: projectionStore(shards.pools.shards[0]!), copies: new RedisCopies(handle) },
      ...{ doorbell, metrics: createMetrics('projector'), log },
    });
    release.push(() => projection.stop());
    return projection;
  }

  function submit(projection: ShardProjection, account: string, version: bigint): Promise<boolean> {
    const rows = new ProjectionFold();
    rows.putBalance(rowOf(prefix + account, version));
    return projection.submit(rows, 0);
  }

  async function copied(account: string): Promise<unknown> {
    const text = await direct.client.get(balanceCopyKey(prefix + account));
    return text === null ? undefined : (JSON.parse(text) as { version: string }).version;
  }

  it('tables are written, and copies once it goes on', async () => {
    const patient = redis.client.duplicate(PATIENT);
    release.push(async () => patient.disconnect());
    await until(() => patient.status === 'ready');
    const projection = project({ client: patient, available: true });
    way.hang();
    expect(await submit(projection, 'a', 1n)).toBe(true);
    expect(await submit(projection, 'a', 2n)).toBe(true);
    expect(await submit(projection, 'b', 1n)).toBe(true);
    expect(await copied('a')).toBeUndefined();
    way.goOn();
    await until(async () => (await copied('a')) === '2' && (await copied('b')) === '1');
  });

  it('copies wait until it was started anew, though nothing more changes', async () => {
    const projection = project(redis);
    way.hang();
    expect(await submit(projection, 'a', 1n)).toBe(true);
    expect(await submit(projection, 'a', 2n)).toBe(true);
    expect(await submit(projection, 'b', 1n)).toBe(true);
    await until(() => !redis.available, 'the silence is noticed');
    way.restart();
    await until(async () => (await copied('a')) === '2' && (await copied('b')) === '1');
  });

  it('a copy that another projector wrote meanwhile is not made older', async () => {
    const projection = project(redis);
    way.hang();
    expect(await submit(projection, 'a', 3n)).toBe(true);
    expect(await submit(projection, 'b', 1n)).toBe(true);
    await new RedisCopies(direct).writeBalances([rowOf(`${prefix}a`, 10n)]);
    await until(() => !redis.available, 'the silence is noticed');
    way.restart();
    await until(async () => (await copied('b')) === '1');
    expect(await copied('a')).toBe('10');
  });
});
