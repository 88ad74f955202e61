import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '@surety/testing';
import { testRedisUrl } from '@surety/testing/servers';
import { CHANNELS, createDoorbell, type Doorbell, type ListeningDoorbell } from './doorbell.js';
import { connectRedis, type RedisHandle } from './redis.js';
import { silentLog } from './spec-support.js';

const redisUrl = new URL(testRedisUrl());
const log = silentLog();

/** A door in front of Redis that a spec can shut: connections are cut and new ones refused. */
class Door {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private port = 0;

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async open(): Promise<void> {
    this.server = createServer((client) => {
      const upstream = connect(Number(redisUrl.port || '6379'), redisUrl.hostname);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Nothing passes any more, and nobody is told: as where a server hangs. */
  freeze(): void {
    for (const socket of this.sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  async shut(): Promise<void> {
    const closed = this.server?.listening === true ? once(this.server, 'close') : undefined;
    this.server?.close();
    this.sockets.forEach((socket) => socket.destroy());
    this.sockets.clear();
    await closed;
  }
}

let door: Door;

beforeEach(async () => {
  door = new Door();
  await door.open();
});

afterEach(async () => {
  await door.shut();
});

describe('a connection', () => {
  let redis: RedisHandle;

  beforeEach(() => {
    redis = connectRedis({ url: door.url, name: 'runtime-spec', log });
  });

  afterEach(async () => {
    await redis.close();
  });

  test('fails fast while redis is away and works again when it is back', async () => {
    await until(() => redis.available, 'redis is there');
    const key = `runtime-spec:${randomUUID()}`;
    await redis.client.set(key, '1', 'EX', 60);
    await redis.check();
    await door.shut();
    await until(() => !redis.available, 'the loss is seen');
    await expect(redis.client.get(key)).rejects.toThrow();
    await expect(redis.check()).rejects.toThrow();
    await door.open();
    await until(() => redis.available, 'redis is back');
    expect(await redis.client.get(key)).toBe('1');
  });

  test('rejects what was under way when the connection was cut', async () => {
    await until(() => redis.available, 'redis is there');
    const blocked = redis.client.blpop(`runtime-spec:${randomUUID()}`, 30);
    const rejected = expect(blocked).rejects.toThrow();
    await door.shut();
    await rejected;
  });

  test('can be closed while redis is away', async () => {
    await door.shut();
    await until(() => !redis.available, 'the loss is seen');
    await redis.close();
    expect(redis.available).toBe(false);
  });
});

describe('a doorbell', () => {
  let bell: Doorbell;
  let other: ListeningDoorbell;

  beforeEach(() => {
    bell = createDoorbell({ url: door.url, log });
    other = createDoorbell({ url: door.url, log });
  });

  afterEach(async () => {
    await Promise.all([bell.close(), other.close()]);
  });

  /** Rings until it is heard: nothing is promised while connections come up. */
  async function ringUntilHeard(channel: string, heard: readonly string[]): Promise<void> {
    const before = heard.length;
    await until(() => {
      bell.ring(channel);
      return heard.length > before;
    }, 'a ring was heard');
  }

  test('wakes every listener of its channel and no other', async () => {
    const shard = Math.floor(Math.random() * 1e9);
    const heard: string[] = [];
    const alsoHeard: string[] = [];
    const elsewhere: string[] = [];
    await other.subscribe(CHANNELS.outbox(shard), (payload) => heard.push(payload));
    await other.subscribe(CHANNELS.outbox(shard), (payload) => alsoHeard.push(payload));
    await other.subscribe(CHANNELS.outbox(shard + 1), (payload) => elsewhere.push(payload));
    await ringUntilHeard(CHANNELS.outbox(shard), heard);
    expect(alsoHeard.length).toBeGreaterThan(0);
    expect(elsewhere).toEqual([]);
  });

  test('rings at once, and once more for all that was rung meanwhile', async () => {
    const channel = `runtime-spec:${randomUUID()}`;
    const heard: string[] = [];
    await other.subscribe(channel, (payload) => heard.push(payload));
    await ringUntilHeard(channel, heard);
    await new Promise((resolve) => setTimeout(resolve, 100));
    heard.length = 0;
    const beganAtMs = performance.now();
    let rings = 0;
    for (; rings < 5000 && performance.now() - beganAtMs < 60; rings += 1) {
      bell.ring(channel);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const heardBefore = heard.length;
    bell.ring(channel);
    await until(() => heard.length > heardBefore, 'the last ring was heard');
    // The first, the last, and one for each rest of 5 ms between them, which a timer may cut short.
    expect(heard.length).toBeLessThanOrEqual(2 + (performance.now() - beganAtMs) / 4);
  });

  test('sends each payload, in order', async () => {
    const channel = `runtime-spec:${randomUUID()}`;
    const heard: string[] = [];
    await other.subscribe(channel, (payload) => heard.push(payload));
    await ringUntilHeard(channel, heard);
    const payloads = Array.from({ length: 200 }, (_, index) => `transfer-${index}`);
    payloads.forEach((payload) => {
      bell.ring(channel, payload);
    });
    await until(() => heard.includes('transfer-199'), 'the last payload arrived');
    expect(heard.filter((payload) => payload !== '')).toEqual(payloads);
  });

  test('coalesces bare rings, and the last one is heard after it was rung', async () => {
    const channel = `runtime-spec:${randomUUID()}`;
    const heard: string[] = [];
    await other.subscribe(channel, (payload) => heard.push(payload));
    await ringUntilHeard(channel, heard);
    const before = heard.length;
    for (let ring = 0; ring < 1000; ring += 1) {
      bell.ring(channel);
    }
    bell.ring(channel, 'end');
    await until(() => heard.includes('end') && heard.at(-1) === '', 'the coalesced ring arrived');
    expect(heard.length - before).toBeLessThan(10);
  });

  test('listens again after redis was away', async () => {
    const channel = `runtime-spec:${randomUUID()}`;
    const heard: string[] = [];
    await other.subscribe(channel, (payload) => heard.push(payload));
    await ringUntilHeard(channel, heard);
    await door.shut();
    bell.ring(channel);
    bell.ring(channel, 'lost');
    await door.open();
    await ringUntilHeard(channel, heard);
    expect(heard).not.toContain('lost');
  });

  test('knows whether it is heard, and tells when it is not any more', async () => {
    const channel = `runtime-spec:${randomUUID()}`;
    await until(() => other.isListening, 'it is connected');
    let deafened = 0;
    let removed = 0;
    other.onDeaf(() => (deafened += 1));
    const remove = other.onDeaf(() => (removed += 1));
    remove();
    const end = await other.subscribe(channel, () => undefined);
    expect([other.isListening, deafened]).toEqual([true, 0]);
    await door.shut();
    await until(() => deafened > 0, 'the loss is told');
    expect(removed).toBe(0);
    expect(other.isListening).toBe(false);
    const subscribing = other.subscribe(`${channel}:more`, () => undefined);
    expect(other.isListening).toBe(false);
    await subscribing;
    await door.open();
    await until(() => other.isListening, 'both channels are heard again');
    end();
    expect(other.isListening).toBe(true);
  });

  test('does not take a connection that says nothing for one that hears', async () => {
    const channel = `runtime-spec:${randomUUID()}`;
    const heard: string[] = [];
    await other.subscribe(channel, (payload) => heard.push(payload));
    await ringUntilHeard(channel, heard);
    let deafened = 0;
    other.onDeaf(() => (deafened += 1));
    door.freeze();
    expect(other.isListening).toBe(true);
    await until(() => deafened > 0, 'the silence is noticed');
    await until(() => other.isListening, 'a new connection listens');
    await ringUntilHeard(channel, heard);
  });

  test('takes a subscription while redis is away', async () => {
    await door.shut();
    const channel = `runtime-spec:${randomUUID()}`;
    const heard: string[] = [];
    await other.subscribe(channel, (payload) => heard.push(payload));
    await door.open();
    await ringUntilHeard(channel, heard);
  });

  test('is silent after the subscription has ended', async () => {
    const channel = `runtime-spec:${randomUUID()}`;
    const ended: string[] = [];
    const going: string[] = [];
    const end = await other.subscribe(channel, (payload) => ended.push(payload));
    await other.subscribe(channel, (payload) => going.push(payload));
    await ringUntilHeard(channel, going);
    end();
    const before = ended.length;
    await ringUntilHeard(channel, going);
    expect(ended.length).toBe(before);
  });

  test('survives a listener that throws', async () => {
    const channel = `runtime-spec:${randomUUID()}`;
    const heard: string[] = [];
    await other.subscribe(channel, () => {
      throw new Error('a bug');
    });
    await other.subscribe(channel, (payload) => heard.push(payload));
    await ringUntilHeard(channel, heard);
  });
});
