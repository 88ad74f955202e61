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
import type { RedisHandle } from '@surety/runtime';
import type { KeyRef } from '@surety/saga';
import { KeyMemory } from './key-memory.js';
import { redisFor } from './spec-support.js';

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
    redis = await redisFor('keys-spec');
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

  test('tells a new key from one that was used in its slot, and in another one', async () => {
    const key = newKey();
    expect(await memory.remember(key)).toBe('none');
    expect(await memory.remember(key)).toBe('here');
    expect(await memory.remember(elsewhere(key))).toBe('elsewhere');
    expect(await memory.remember(key)).toBe('here');
    expect(await new KeyMemory(redis).remember(elsewhere(key))).toBe('elsewhere');
  });

  test('tells the same of a key that is looked up, which does not use it', async () => {
    const key = newKey();
    expect(await memory.lookUp(key)).toBe('none');
    expect(await memory.remember(elsewhere(key))).toBe('none');
    expect(await memory.lookUp(key)).toBe('elsewhere');
    expect(await memory.lookUp(elsewhere(key))).toBe('here');
  });

  test('takes a key that Redis has forgotten for a new one', async () => {
    const key = newKey();
    await memory.remember(key);
    await redis.client.del(storedUnder(key));
    expect(await memory.remember(elsewhere(key))).toBe('none');
    expect(await memory.remember(key)).toBe('elsewhere');
  });

  test('keeps the slot of the first use for a day from then', async () => {
    const key = newKey(4095);
    await memory.remember(key);
    await memory.remember(elsewhere(key));
    expect(await redis.client.get(storedUnder(key))).toBe('4095');
    expect(await redis.client.ttl(storedUnder(key))).toBeGreaterThan(DAY_SECONDS - 60);
    await redis.client.expire(storedUnder(key), 100);
    await memory.remember(key);
    expect(await redis.client.ttl(storedUnder(key))).toBeLessThanOrEqual(100);
  });

  test('asks once for the keys of one turn, each with its own answer', async () => {
    const taken = newKey();
    await memory.remember(taken);
    const calls = jest.spyOn(redis.client, 'evalsha');
    const keys = [newKey(1), elsewhere(taken), newKey(2), taken];
    const uses = await Promise.all(keys.map((key) => memory.remember(key)));
    expect(uses).toEqual(['none', 'elsewhere', 'none', 'here']);
    expect(calls).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['two slots', 'elsewhere', elsewhere],
    ['two requests of one slot', 'here', (key: KeyRef): KeyRef => key],
  ])(
    'is new to the first of %s that ask for a key at once, and %s to the second',
    async (...row) => {
      const [, use, other] = row;
      const key = newKey();
      const asked = [key, other(key)].map((one) => memory.remember(one));
      expect(await Promise.all(asked)).toEqual(['none', use]);
      const next = newKey();
      expect(await memory.rememberAll([next, other(next)])).toEqual(['none', use]);
    },
  );

  test.each([0, 1, 99, 100, 101, 1_000])('answers for a list of %i in its order', async (count) => {
    const keys = Array.from({ length: count }, () => newKey());
    expect(await memory.rememberAll(keys)).toEqual(keys.map(() => 'none'));
    const mixed = keys.map((key, at) => [elsewhere(key), key, newKey()][at % 3] as KeyRef);
    const uses = keys.map((_, at) => ['elsewhere', 'here', 'none'][at % 3]);
    expect(await memory.rememberAll(mixed)).toEqual(uses);
  });

  test('works on with a Redis that has forgotten the script', async () => {
    const key = newKey();
    await memory.remember(key);
    await redis.client.script('FLUSH');
    expect(await memory.remember(elsewhere(key))).toBe('elsewhere');
  });

  test('leaves Redis alone for a moment after a failure; nothing is known of a key then', async () => {
    const key = newKey();
    await memory.remember(key);
    const calls = jest.spyOn(redis.client, 'evalsha');
    calls.mockRejectedValueOnce(new Error('Command timed out'));
    expect(await memory.remember(elsewhere(key))).toBe('unknown');
    expect(await memory.lookUp(elsewhere(key))).toBe('unknown');
    expect(await memory.remember(newKey())).toBe('unknown');
    expect(await memory.rememberAll([elsewhere(key), newKey()])).toEqual(['unknown', 'unknown']);
    expect(calls).toHaveBeenCalledTimes(1);
    const nowMs = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(nowMs + 1_001);
    expect(await memory.remember(elsewhere(key))).toBe('elsewhere');
  });

  test.each([[null], [1], [['1']], [[[], null]]])(
    'believes no answer of the shape %j',
    async (answer) => {
      jest.spyOn(redis.client, 'evalsha').mockResolvedValueOnce(answer);
      expect(await memory.remember(newKey())).toBe('unknown');
    },
  );

  test('knows nothing of a key that holds something else', async () => {
    const key = newKey();
    await redis.client.lpush(storedUnder(key), 'x');
    await redis.client.expire(storedUnder(key), 60);
    expect(await memory.remember(key)).toBe('unknown');
    expect(await new KeyMemory(redis).lookUp(key)).toBe('unknown');
  });

  test('knows nothing of the keys of a call that fails, and all about those of others', async () => {
    const [used, ...keys] = Array.from({ length: 250 }, () => newKey()) as [KeyRef, ...KeyRef[]];
    await memory.remember(used);
    await redis.client.lpush(storedUnder(keys[120]!), 'x');
    await redis.client.expire(storedUnder(keys[120]!), 60);
    const uses = await memory.rememberAll([elsewhere(used), ...keys]);
    expect(uses.slice(0, 100)).toEqual(['elsewhere', ...keys.slice(0, 99).map(() => 'none')]);
    expect(uses.slice(100)).toEqual(keys.slice(99).map((_, at) => (at < 100 ? 'unknown' : 'none')));
    expect(await memory.remember(newKey())).toBe('unknown');
  });

  test('knows nothing of any key while Redis is away', async () => {
    const away = new KeyMemory({ client: redis.client, available: false });
    const calls = jest.spyOn(redis.client, 'evalsha');
    const key = newKey();
    await memory.remember(key);
    calls.mockClear();
    expect(await away.lookUp(elsewhere(key))).toBe('unknown');
    expect(await away.remember(newKey())).toBe('unknown');
    expect(await away.rememberAll([newKey(), newKey()])).toEqual(['unknown', 'unknown']);
    expect(calls).not.toHaveBeenCalled();
  });
});
