import { randomUUID } from 'node:crypto';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  jest,
  test,
} from '@jest/globals';
import { connectRedis } from '@surety/runtime';
import type { RedisHandle } from '@surety/runtime';
import type { KeyRef } from '@surety/saga';
import { silentLog, testRedisUrl } from '@surety/testing/servers';
import { KeyMemory } from './key-memory.js';

const DAY_SECONDS = 24 * 60 * 60;

function newKey(slot = 7): KeyRef {
  return { slot, keyHash: randomUUID().replaceAll('-', '').repeat(2) };
}

function elsewhere(key: KeyRef): KeyRef {
  return { ...key, slot: key.slot + 1 };
}

const storedUnder = ({ keyHash }: KeyRef): string => `surety:key:${keyHash}`;

describe('the memory of keys', () => {
  let redis: RedisHandle;
  let memory: KeyMemory;

  beforeAll(async () => {
    redis = connectRedis({ url: testRedisUrl(), name: 'keys-spec', log: silentLog('ingress') });
    await new Promise<void>((resolve) => redis.client.once('ready', () => resolve()));
  });
  afterAll(async () => {
    await redis.close();
  });
  beforeEach(() => {
    memory = new KeyMemory(redis);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('takes a new key, the same again in its slot, and not in another one', async () => {
    const key = newKey();
    expect(await memory.belongsHere(key)).toBe(true);
    expect(await memory.belongsHere(key)).toBe(true);
    expect(await memory.belongsHere(elsewhere(key))).toBe(false);
    expect(await new KeyMemory(redis).belongsHere(elsewhere(key))).toBe(false);
  });

  test('keeps the slot of the first use for a day from then', async () => {
    const key = newKey(4095);
    await memory.belongsHere(key);
    await memory.belongsHere(elsewhere(key));
    expect(await redis.client.get(storedUnder(key))).toBe('4095');
    expect(await redis.client.ttl(storedUnder(key))).toBeGreaterThan(DAY_SECONDS - 60);
    await redis.client.expire(storedUnder(key), 100);
    await memory.belongsHere(key);
    expect(await redis.client.ttl(storedUnder(key))).toBeLessThanOrEqual(100);
  });

  test('asks once for the keys of one turn, each with its own answer', async () => {
    const taken = newKey();
    await memory.belongsHere(taken);
    const calls = jest.spyOn(redis.client, 'evalsha');
    const keys = [newKey(1), elsewhere(taken), newKey(2), taken];
    const belong = await Promise.all(keys.map((key) => memory.belongsHere(key)));
    expect(belong).toEqual([true, false, true, true]);
    expect(calls).toHaveBeenCalledTimes(1);
  });

  test('lets the first of two slots have a key that both ask for at once', async () => {
    const key = newKey();
    const asked = [key, elsewhere(key)].map((one) => memory.belongsHere(one));
    expect(await Promise.all(asked)).toEqual([true, false]);
  });

  test.each([0, 1, 99, 100, 101, 1_000])('answers for a list of %i in its order', async (count) => {
    const keys = Array.from({ length: count }, () => newKey());
    expect(await memory.belongHere(keys)).toEqual(keys.map(() => true));
    const mixed = keys.map((key, at) => (at % 3 === 0 ? elsewhere(key) : key));
    expect(await memory.belongHere(mixed)).toEqual(keys.map((_, at) => at % 3 !== 0));
  });

  test('works on with a Redis that has forgotten the script', async () => {
    const key = newKey();
    await memory.belongsHere(key);
    await redis.client.script('FLUSH');
    expect(await memory.belongsHere(elsewhere(key))).toBe(false);
  });

  test('leaves Redis alone for a moment after a failure; every key counts as ours then', async () => {
    const key = newKey();
    await memory.belongsHere(key);
    const calls = jest.spyOn(redis.client, 'evalsha');
    calls.mockRejectedValueOnce(new Error('Command timed out'));
    expect(await memory.belongsHere(elsewhere(key))).toBe(true);
    expect(await memory.belongsHere(elsewhere(key))).toBe(true);
    expect(await memory.belongHere([elsewhere(key), key])).toEqual([true, true]);
    expect(calls).toHaveBeenCalledTimes(1);
    const nowMs = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(nowMs + 1_001);
    expect(await memory.belongsHere(elsewhere(key))).toBe(false);
  });

  test('a key that holds something else counts as ours', async () => {
    const key = newKey();
    await redis.client.lpush(storedUnder(key), 'x');
    await redis.client.expire(storedUnder(key), 60);
    expect(await memory.belongsHere(key)).toBe(true);
  });

  test('counts every key as ours while Redis is away', async () => {
    const away = new KeyMemory({ client: redis.client, available: false });
    const calls = jest.spyOn(redis.client, 'evalsha');
    expect(await away.belongsHere(newKey())).toBe(true);
    expect(await away.belongHere([newKey(), newKey()])).toEqual([true, true]);
    expect(calls).not.toHaveBeenCalled();
  });
});
