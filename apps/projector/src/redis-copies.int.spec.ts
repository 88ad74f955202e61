import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { balanceCopyKey, statusCopyKey } from '@surety/contracts';
import { connectRedis } from '@surety/runtime';
import type { RedisHandle } from '@surety/runtime';
import { silentLog, testRedisUrl } from '@surety/testing/servers';
import { ProjectionFold } from './projected-rows.js';
import { RedisCopies } from './redis-copies.js';

const log = silentLog('projector');
const prefix = `copies-${process.pid}-${Date.now()}`;
const updatedAt = '2026-01-31T10:15:30.000000Z';

const end = { slot: 0, status: 'committed', reason: null, version: 40, updatedAt } as const;

function rowsOf(id: string, version: bigint, balance = version): ProjectionFold {
  const fold = new ProjectionFold();
  fold.putBalance({
    accountId: id,
    slot: 0,
    balance,
    held: 0n,
    version,
    updatedAt,
    currency: 'EUR',
  });
  return fold;
}

describe('the copies in Redis', () => {
  let redis: RedisHandle;
  let copies: RedisCopies;
  let account = '';
  let n = 0;

  beforeAll(async () => {
    redis = connectRedis({ url: testRedisUrl(), name: 'copies-spec', log });
    await new Promise<void>((resolve) => redis.client.once('ready', () => resolve()));
    copies = new RedisCopies(redis);
  });
  afterAll(async () => {
    await redis.close();
  });
  beforeEach(() => {
    n += 1;
    account = `${prefix}-${n}`;
  });

  async function stored(): Promise<Record<string, unknown> | undefined> {
    const text = await redis.client.get(balanceCopyKey(account));
    return text === null ? undefined : (JSON.parse(text) as Record<string, unknown>);
  }

  it('say what the row says, and live for their time', async () => {
    await copies.write(rowsOf(account, 7n));
    expect(await stored()).toEqual({
      balance: '7',
      held: '0',
      version: '7',
      currency: 'EUR',
      updatedAt,
    });
    expect(await redis.client.pttl(balanceCopyKey(account))).toBeGreaterThan(86_000_000);
  });

  it.each([
    ['an older version', 7n, 6n, 7n],
    ['the same version', 7n, 7n, 7n],
    ['a newer version', 7n, 8n, 8n],
    ['a version with more digits', 9n, 10n, 10n],
    ['a version with fewer digits', 10n, 9n, 10n],
    ['the neighbour above 2^53', 9007199254740992n, 9007199254740993n, 9007199254740993n],
    ['the neighbour below it', 9007199254740993n, 9007199254740992n, 9007199254740993n],
  ])('after %s keep the newest', async (_, first, second, expected) => {
    await copies.write(rowsOf(account, first));
    await copies.write(rowsOf(account, second));
    expect((await stored())?.['version']).toBe(expected.toString());
  });

  it('replace what is no copy', async () => {
    await redis.client.set(balanceCopyKey(account), 'nonsense');
    expect(await copies.write(rowsOf(account, 1n))).toBe(1);
    expect((await stored())?.['version']).toBe('1');
  });

  it('compare with versions that others wrote as numbers', async () => {
    await redis.client.set(balanceCopyKey(account), JSON.stringify({ version: 40 }));
    expect(await copies.write(rowsOf(account, 39n))).toBe(0);
    expect(await copies.write(rowsOf(account, 41n))).toBe(1);
  });

  it('compare with those that do not begin with their version', async () => {
    const older = { balance: '1', held: '0', version: '9007199254740993' };
    await redis.client.set(balanceCopyKey(account), JSON.stringify(older));
    expect(await copies.write(rowsOf(account, 9007199254740992n))).toBe(0);
    expect(await copies.write(rowsOf(account, 9007199254740993n))).toBe(1);
  });

  it('of ends take the place of whatever was told before', async () => {
    const fold = new ProjectionFold();
    fold.putStatus({ ...end, transferId: account });
    const held = JSON.stringify({ status: 'held', reason: null, version: '20', updatedAt });
    await redis.client.set(statusCopyKey(account), held);
    expect(await copies.write(fold)).toBe(1);
    const text = await redis.client.get(statusCopyKey(account));
    expect(JSON.parse(text ?? '')).toEqual({
      ...{ status: 'committed', reason: null, version: '40', updatedAt },
    });
    expect(await redis.client.pttl(statusCopyKey(account))).toBeGreaterThan(3_500_000);
  });

  it('survive a Redis that forgot its scripts', async () => {
    await redis.client.script('FLUSH');
    expect(await copies.write(rowsOf(account, 1n))).toBe(1);
  });

  it('are written for many keys at once', async () => {
    const fold = new ProjectionFold();
    for (let at = 0; at < 450; at += 1) {
      const transferId = `${account}-${at}`;
      fold.putStatus({ ...end, transferId });
    }
    expect(await copies.write(fold)).toBe(450);
    expect(await redis.client.exists(statusCopyKey(`${account}-449`))).toBe(1);
  });
});
