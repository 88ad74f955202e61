import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RedisHandle } from '@surety/runtime';
import { recordedLog } from '@surety/testing/recorded-log';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { memoryOf, redisFor, startOn, untilRemembered } from './spec-support.js';
import type { RunningIngress } from './start.js';

const { log, lines } = recordedLog('info');
let shards: TestShards;
let redis: RedisHandle;
let ingress: RunningIngress;

beforeAll(async () => {
  shards = await createTestShards();
  redis = await redisFor('presumed-spec');
  ingress = await startOn(shards.urls, { log });
  await untilRemembered(redis, (key) => post(aBody(), key));
});

afterAll(async () => {
  await ingress.stop();
  await redis.close();
  await shards.drop();
});

beforeEach(() => {
  lines.splice(0);
});

function aBody(fields: Record<string, unknown> = {}) {
  const parties = { sourceAccount: 'spec-source', destinationAccount: 'spec-destination' };
  return { ...parties, amount: '10.50', currency: 'EUR', ...fields };
}

interface Reply {
  readonly status: number;
  readonly isReplayed: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(body: unknown, key?: string, path = '/api/v1/transfers'): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${ingress.port}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    isReplayed: response.headers.get('idempotency-replayed') === 'true',
    body: (await response.json()) as Reply['body'],
  };
}

/** As a Redis does that was flushed, for these keys alone: others use it beside this spec. */
async function forget(...keys: readonly string[]): Promise<void> {
  expect(await redis.client.del(...keys.map(memoryOf))).toBe(keys.length);
}

interface Spent {
  readonly statements: number;
  readonly retries: number;
  readonly transfers: number;
}

async function spentUntilNow(): Promise<Spent> {
  const { sqlStatementsTotal, errorsTotal } = ingress.metrics;
  const retries = (await errorsTotal.get()).values.filter(({ labels }) => {
    return labels.kind === 'retry_1062';
  });
  const [statements] = (await sqlStatementsTotal.get()).values;
  const [rows] = await shards.pools.shards[0]!.send(['SELECT COUNT(*) FROM transfers']);
  return {
    statements: statements?.value ?? 0,
    retries: retries.reduce((total, { value }) => total + value, 0),
    transfers: Number(rows?.rows[0]?.[0]),
  };
}

async function spentOn<T>(work: () => Promise<T>): Promise<{ result: T; spent: Spent }> {
  const before = await spentUntilNow();
  const result = await work();
  const after = await spentUntilNow();
  const spent = {
    statements: after.statements - before.statements,
    retries: after.retries - before.retries,
    transfers: after.transfers - before.transfers,
  };
  return { result, spent };
}

describe('a key that Redis has forgotten between two requests', () => {
  test('gives the first answer again, counts one attempt more and is nothing to write of', async () => {
    const key = randomUUID();
    const first = await post(aBody(), key);
    expect(first).toMatchObject({ status: 202, isReplayed: false });
    await forget(key);
    const { result: second, spent } = await spentOn(() => post(aBody(), key));
    expect(second).toEqual({ ...first, isReplayed: true });
    expect(spent).toMatchObject({ retries: 1, transfers: 0 });
    expect(lines).toEqual([]);
    const { result: third, spent: spentOnThird } = await spentOn(() => post(aBody(), key));
    expect(third).toEqual(second);
    expect(spentOnThird).toMatchObject({ retries: 0, transfers: 0 });
  });

  test('is refused for another request', async () => {
    const key = randomUUID();
    await post(aBody(), key);
    await forget(key);
    const { result, spent } = await spentOn(() => post(aBody({ amount: '10.51' }), key));
    expect(result).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    expect(spent).toMatchObject({ transfers: 0 });
  });

  test('was used for funding, and is refused for a transfer', async () => {
    const accountId = `acc-${randomUUID()}`;
    const key = randomUUID();
    await post({ accountId, currency: 'EUR' }, undefined, '/api/v1/accounts');
    const funding = { amount: '5', direction: 'deposit' };
    await post(funding, key, `/api/v1/accounts/${accountId}/funding`);
    await forget(key);
    const reply = await post(aBody({ sourceAccount: accountId }), key);
    expect(reply).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
  });

  test('gives each member of a batch its first answer, beside others that are new', async () => {
    const keys = Array.from({ length: 3 }, () => randomUUID());
    const membersOf = (wanted: readonly string[]) => ({
      transfers: wanted.map((idempotencyKey) => aBody({ idempotencyKey })),
    });
    const send = (wanted: readonly string[]) =>
      post(membersOf(wanted), undefined, '/api/v1/transfers/batch');
    const first = await send(keys.slice(0, 2));
    await forget(keys[1]!);
    const { result: second, spent } = await spentOn(() => send(keys));
    expect(spent).toMatchObject({ retries: 1, transfers: 1 });
    const [ofFirst, ofSecond] = [first, second].map(
      ({ body }) => body['results'] as readonly Record<string, unknown>[],
    );
    expect(ofSecond?.map(({ status, replayed }) => [status, replayed])).toEqual([
      [202, true],
      [202, true],
      [202, false],
    ]);
    expect(ofSecond?.slice(0, 2)).toEqual(ofFirst?.map((one) => ({ ...one, replayed: true })));
  });
});

describe('a key that Redis knows nothing of', () => {
  test('is one transfer, however many ask with it at the same time', async () => {
    const key = randomUUID();
    const { result: replies, spent } = await spentOn(() =>
      Promise.all(Array.from({ length: 40 }, () => post(aBody(), key))),
    );
    expect(spent).toMatchObject({ transfers: 1 });
    expect(new Set(replies.map(({ body }) => body['transactionId'])).size).toBe(1);
    expect(replies.filter(({ isReplayed }) => !isReplayed)).toHaveLength(1);
  });

  test('is looked for only where Redis did not answer', async () => {
    const fresh = await spentOn(() => post(aBody(), randomUUID()));
    const foreign = randomUUID();
    // A value that the key memory cannot read: its question fails as a whole.
    await redis.client.lpush(memoryOf(foreign), 'x');
    const unanswered = await spentOn(() => post(aBody(), foreign));
    await redis.client.del(memoryOf(foreign));
    expect([fresh, unanswered].map(({ result }) => result.status)).toEqual([202, 202]);
    expect(unanswered.spent).toEqual({ ...fresh.spent, statements: fresh.spent.statements + 1 });
    expect(fresh.spent).toMatchObject({ retries: 0, transfers: 1 });
  });
});
