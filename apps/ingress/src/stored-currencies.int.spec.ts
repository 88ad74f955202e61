import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { anAccountIdOn } from '@surety/testing';
import { recordedLog } from '@surety/testing/recorded-log';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { startOn } from './spec-support.js';
import type { RunningIngress } from './start.js';

const OWN = 'POINTS:0,GOLD:6';

let shards: TestShards;
let running: RunningIngress[] = [];

beforeEach(async () => {
  shards = await createTestShards({ count: 2 });
});
afterEach(async () => {
  await Promise.all(running.map((ingress) => ingress.stop()));
  running = [];
  await shards.drop();
});

/** An ingress with these currencies of one's own. */
async function started(
  currencies: string,
  log = recordedLog('error').log,
): Promise<RunningIngress> {
  const settings = { SURETY_CURRENCIES: currencies };
  const ingress = await startOn(shards.urls, { settings, log });
  running.push(ingress);
  return ingress;
}

/** What a start with these currencies has against them; empty where it starts. */
async function mistakesOf(currencies: string): Promise<readonly string[]> {
  return started(currencies).then(
    () => [],
    (error: unknown) => (error as { mistakes?: readonly string[] }).mistakes ?? [String(error)],
  );
}

async function call(
  ingress: RunningIngress,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly answer: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${ingress.port}/api/v1${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

const onShard = (shard: number, name = 'holder'): string =>
  anAccountIdOn(shards.pools.slotMaps.current(), shard, name);

async function opened(
  ingress: RunningIngress,
  accountId: string,
  currency: string,
): Promise<number> {
  return (await call(ingress, '/accounts', { accountId, currency })).status;
}

/** `CODE:decimals` of each row. */
async function remembered(shard: number): Promise<readonly string[]> {
  const [result] = await shards.pools.shards[shard]!.send([
    'SELECT code, decimals FROM currencies ORDER BY code',
  ]);
  return (result?.rows ?? []).map(([code, decimals]) => `${String(code)}:${String(decimals)}`);
}

async function run(shard: number, ...statements: readonly string[]): Promise<void> {
  await shards.pools.shards[shard]!.send(statements);
}

describe('decimals that money was stored with', () => {
  it('are not changed by another start: 1.000001 would be told as 10000.01', async () => {
    const first = await started(OWN);
    const account = onShard(1);
    expect(await opened(first, account, 'GOLD')).toBe(201);
    const deposit = { amount: '1.000001', direction: 'deposit' };
    expect((await call(first, `/accounts/${account}/funding`, deposit)).status).toBe(201);
    await first.stop();

    expect(await mistakesOf('POINTS:0,GOLD:2')).toEqual([
      'SURETY_CURRENCIES: money is stored in GOLD with 6 decimals (shard 1), it has 2 now: ' +
        'GOLD:6 is right',
    ]);
    expect(await mistakesOf('POINTS:0')).toEqual([
      'SURETY_CURRENCIES: money is stored in GOLD with 6 decimals (shard 1), it is not configured ' +
        'any more: GOLD:6 is right',
    ]);
    // A currency that nobody has may change and go.
    const again = await started('GOLD:6,POINTS:2,SILVER:3');
    const { answer } = await call(again, `/accounts/${account}/balance`);
    expect(answer).toMatchObject({ balance: '1.000001', currency: 'GOLD' });
  });

  it('are told of all together, with each shard that has them', async () => {
    const first = await started(`${OWN},SILVER:3`);
    for (const currency of ['GOLD', 'SILVER']) {
      for (const shard of [0, 1]) {
        expect(await opened(first, onShard(shard, currency), currency)).toBe(201);
      }
    }
    const mistakes = await mistakesOf('GOLD:8');
    expect(mistakes).toHaveLength(2);
    expect(mistakes[0]).toContain('GOLD with 6 decimals (shards 0, 1), it has 8 now');
    expect(mistakes[1]).toContain('SILVER with 3 decimals (shards 0, 1), it is not configured');
  });

  it('are remembered with the first account, of ISO currencies too, and by no request again', async () => {
    const ingress = await started(OWN);
    expect(await opened(ingress, onShard(0, 'a'), 'JPY')).toBe(201);
    expect(await opened(ingress, onShard(0, 'b'), 'GOLD')).toBe(201);
    expect([await remembered(0), await remembered(1)]).toEqual([['GOLD:6', 'JPY:0'], []]);
    // The process knows what it has stored: nothing is asked and nothing written.
    await run(0, 'RENAME TABLE currencies TO hidden');
    expect(await opened(ingress, onShard(0, 'c'), 'GOLD')).toBe(201);
    await run(0, 'RENAME TABLE hidden TO currencies');
  });

  it('hold against a process that runs with others beside it', async () => {
    const { log, lines } = recordedLog('error');
    const six = await started('GOLD:6');
    const two = await started('GOLD:2', log);
    expect(await opened(six, onShard(0, 'a'), 'GOLD')).toBe(201);
    expect(await opened(two, onShard(0, 'b'), 'GOLD')).toBe(500);
    expect(JSON.stringify(lines)).toContain('GOLD:6 is right');
    expect((await call(six, `/accounts/${onShard(0, 'b')}`)).status).toBe(404);
    // Its others go on.
    expect(await opened(two, onShard(0, 'c'), 'EUR')).toBe(201);
  });
});

describe('a database of an earlier release', () => {
  async function accountsWithoutMemory(): Promise<void> {
    const first = await started(OWN);
    expect(await opened(first, onShard(0, 'a'), 'GOLD')).toBe(201);
    expect(await opened(first, onShard(0, 'b'), 'EUR')).toBe(201);
    await first.stop();
    await run(0, 'DELETE FROM currencies');
  }

  it('gets the decimals that the first start has', async () => {
    await accountsWithoutMemory();
    await started(OWN);
    expect([await remembered(0), await remembered(1)]).toEqual([['EUR:2', 'GOLD:6'], []]);
  });

  it('is refused without a currency of its accounts, and remembers nothing then', async () => {
    await accountsWithoutMemory();
    expect(await mistakesOf('POINTS:0')).toEqual([
      'SURETY_CURRENCIES: accounts are in GOLD (shard 0), it is not configured: it needs the ' +
        'decimals that it has always had',
    ]);
    expect(await remembered(0)).toEqual([]);
  });
});

describe('a shard that could not be asked at the start', () => {
  it('is closed until it can be: its requests are turned away, and nobody else’s', async () => {
    await run(1, 'RENAME TABLE currencies TO hidden');
    const ingress = await started(OWN);
    expect(await opened(ingress, onShard(0), 'EUR')).toBe(201);
    expect(await opened(ingress, onShard(1), 'EUR')).toBe(503);
    // The shard that is closed may have it with other decimals.
    expect(await opened(ingress, onShard(0, 'other'), 'GOLD')).toBe(503);
    await run(1, 'RENAME TABLE hidden TO currencies');
    expect((await call(ingress, `/accounts/${onShard(1)}`)).status).toBe(404);
    expect(await opened(ingress, onShard(1), 'GOLD')).toBe(201);
    expect(await remembered(1)).toEqual(['GOLD:6']);
    expect(await opened(ingress, onShard(0, 'other'), 'GOLD')).toBe(201);
  });

  it('stays closed where it then contradicts, says why, and is not ready', async () => {
    const { log, lines } = recordedLog('error');
    const first = await started(OWN);
    expect(await opened(first, onShard(1), 'GOLD')).toBe(201);
    await run(1, 'RENAME TABLE currencies TO hidden');
    const second = await started('GOLD:2', log);
    await run(1, 'RENAME TABLE hidden TO currencies');
    expect((await call(second, `/accounts/${onShard(1)}/balance`)).status).toBe(503);
    expect((await call(second, `/accounts/${onShard(1)}`)).status).toBe(503);
    expect(lines.filter((line) => JSON.stringify(line).includes('GOLD:6 is right'))).toHaveLength(
      1,
    );
    const ready = await fetch(`http://127.0.0.1:${second.port}/readyz`);
    expect(await ready.json()).toMatchObject({
      checks: { 'shard-0': { ok: true }, 'shard-1': { ok: false } },
    });
    expect(await opened(second, onShard(0), 'EUR')).toBe(201);
  });
});
