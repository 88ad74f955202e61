import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { slotOfAccount } from '@surety/domain';
import type { RedisHandle } from '@surety/runtime';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { memoryOf, redisFor, startOn, untilRemembered } from './spec-support.js';
import type { RunningIngress } from './start.js';

let shards: TestShards;
let redis: RedisHandle;
let ingress: RunningIngress;

beforeAll(async () => {
  shards = await createTestShards();
  redis = await redisFor('funding-spec');
  ingress = await startOn(shards.urls);
  await untilRemembered(redis, (key) => transfer('spec-source', key));
});

afterAll(async () => {
  await ingress.stop();
  await redis.close();
  await shards.drop();
});

interface Reply {
  readonly status: number;
  readonly code: string | undefined;
  readonly isReplayed: boolean;
}

async function post(path: string, key: string, body: object): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${ingress.port}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });
  const { code } = (await response.json()) as { readonly code?: string };
  const isReplayed = response.headers.get('idempotency-replayed') === 'true';
  return { status: response.status, code, isReplayed };
}

function transfer(sourceAccount: string, key: string): Promise<Reply> {
  const parties = { sourceAccount, destinationAccount: 'spec-destination' };
  return post('transfers', key, { ...parties, amount: '1', currency: 'EUR' });
}

function fund(account: string, key: string, fields: object = {}): Promise<Reply> {
  const deposit = { amount: '5', direction: 'deposit' };
  return post(`accounts/${account}/funding`, key, { ...deposit, ...fields });
}

describe('the key of a funding', () => {
  let alice: string;
  let bob: string;

  beforeEach(async () => {
    [alice, bob] = [`alice-${randomUUID()}`, `bob-${randomUUID()}`];
    while (slotOfAccount(bob) === slotOfAccount(alice)) bob = `bob-${randomUUID()}`;
    for (const accountId of [alice, bob]) {
      await post('accounts', randomUUID(), { accountId, currency: 'EUR' });
    }
  });

  test.each([
    ['a withdrawal beyond the funds', { direction: 'withdrawal' }, 422, 'insufficient-funds'],
    ['another currency', { currency: 'USD' }, 422, 'currency-mismatch'],
    ['a sum without decimals that fit', { amount: '0.001' }, 400, 'invalid-request'],
  ])('is free again after %s', async (_what, fields, status, code) => {
    const key = randomUUID();
    expect(await fund(alice, key, fields)).toMatchObject({ status, code });
    expect(await redis.client.exists(memoryOf(key))).toBe(0);
    expect(await fund(bob, key)).toMatchObject({ status: 201, isReplayed: false });
  });

  test('is free again where the account is unknown', async () => {
    const key = randomUUID();
    const unknown = await fund(`nobody-${randomUUID()}`, key, { currency: 'EUR' });
    expect(unknown).toMatchObject({ status: 404, code: 'account-not-found' });
    expect(await fund(bob, key)).toMatchObject({ status: 201, isReplayed: false });
  });

  test('that was refused is taken for another body of the same account', async () => {
    const key = randomUUID();
    await fund(alice, key, { direction: 'withdrawal' });
    expect(await fund(alice, key)).toMatchObject({ status: 201, isReplayed: false });
  });

  test('that was stored is refused for another account, and for transfers from one', async () => {
    const key = randomUUID();
    expect(await fund(alice, key)).toMatchObject({ status: 201 });
    const reused = { status: 422, code: 'idempotency-key-reused' };
    expect(await fund(bob, key)).toMatchObject(reused);
    expect(await transfer(bob, key)).toMatchObject(reused);
    expect(await fund(alice, key)).toMatchObject({ status: 201, isReplayed: true });
  });

  test('that a transfer from another account has is refused', async () => {
    const key = randomUUID();
    await transfer(alice, key);
    expect(await fund(bob, key)).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
  });

  test('that Redis has forgotten is remembered again with the next answer', async () => {
    const key = randomUUID();
    await fund(alice, key);
    await redis.client.del(memoryOf(key));
    expect(await fund(alice, key)).toMatchObject({ status: 201, isReplayed: true });
    expect(await redis.client.get(memoryOf(key))).toBe(String(slotOfAccount(alice)));
  });
});
