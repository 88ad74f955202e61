import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readBalance } from '@surety/db';
import type { Shard } from '@surety/db';
import { fundAccounts, openAccounts } from '@surety/saga';
import { aDeposit, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { BECAUSE, runInProcess } from './spec-support.js';
import type { Ran } from './spec-support.js';

const ACCOUNT = 'projected-1';
const OTHER = 'projected-2';

let shards: TestShards;
let shard: Shard;

function rebuild(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const environment = {
    SURETY_SHARDS: shards.urls.join(','),
    // The rebuild speaks to no broker, and refreshes copies where Redis is there.
    SURETY_KAFKA_BROKERS: '127.0.0.1:1',
    SURETY_REDIS_URL: process.env['SURETY_TEST_REDIS_URL'],
    ...more,
  };
  return runInProcess(['projections', 'rebuild', ...args], { environment });
}

async function auditActions(): Promise<readonly unknown[]> {
  const [lines] = await shard.send(['SELECT actor, action, reason FROM audit_log']);
  return lines!.rows;
}

beforeAll(async () => {
  shards = await createTestShards({ count: 1 });
  [shard] = shards.pools.shards as [Shard];
  await openAccounts(shard.store, [anOpening(ACCOUNT)]);
  await fundAccounts(shard.store, [aDeposit(ACCOUNT, eur(10_00), 1)]);
});

afterAll(async () => {
  await shards?.drop();
});

describe('surety projections rebuild', () => {
  it('changes nothing in a dry run, without a reason, or where nobody can be asked', async () => {
    const dry = await rebuild(['--dry-run']);
    expect(dry.code).toBe(0);
    expect(dry.out).toContain('1 shards would be made anew');
    expect(await rebuild(['--yes'])).toMatchObject({ code: 2 });
    expect(await rebuild(['--reason', 'x'])).toMatchObject({ code: 2 });
    expect([await readBalance(shard, ACCOUNT), await auditActions()]).toEqual([undefined, []]);
  });

  it('says that it could not run, and why', async () => {
    const { code, err } = await rebuild([...BECAUSE], { SURETY_KAFKA_BROKERS: 'nonsense' });
    expect(code).toBe(2);
    expect(err).toContain('SURETY_KAFKA_BROKERS');
    expect(err).toContain('0 of 1 shards were rebuilt');
  });

  it('makes the rows anew from the events, and leaves a line of who wanted it', async () => {
    const { code, out } = await rebuild([...BECAUSE, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ dryRun: false, shards: [{ shard: 0, events: 2 }] });
    expect(await readBalance(shard, ACCOUNT)).toMatchObject({ balance: 10_00n, version: 1n });
    const line = ['operator:spec', 'operator.rebuild_projections', 'a spec wants it'];
    expect((await auditActions()).at(-1)).toEqual(line);
  });

  it('tells of an event that cannot be read, makes the rest anew and ends with 1', async () => {
    await openAccounts(shard.store, [anOpening(OTHER)]);
    await fundAccounts(shard.store, [aDeposit(OTHER, eur(20_00), 2)]);
    const [accounts] = await shard.send([
      'SELECT LOWER(HEX(transfer_id)) FROM transfer_events ' +
        `WHERE step = 40 AND envelope LIKE '%"${ACCOUNT}"%'`,
    ]);
    const id = String(accounts!.rows[0]![0]);
    await shard.send([
      `UPDATE transfer_events SET envelope = REPLACE(envelope, '"schema":2', '"schema":3') ` +
        `WHERE transfer_id = x'${id}' AND step = 40`,
    ]);
    const { code, out, err } = await rebuild([...BECAUSE, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ shards: [{ shard: 0, events: 4, unreadable: 1 }] });
    expect(err.replaceAll('-', '')).toContain(`${id}/40`);
    expect(err).toContain('a newer release wrote it');
    expect(await readBalance(shard, ACCOUNT)).toBeUndefined();
    expect(await readBalance(shard, OTHER)).toMatchObject({ balance: 20_00n });
    expect((await rebuild([...BECAUSE])).out).toMatch(/shard +events +rows written +unreadable/);
  });
});
