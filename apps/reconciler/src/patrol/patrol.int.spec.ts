import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { acquireLease, readBalance, readTimeline, readTransactionStatus } from '@surety/db';
import type { Shard } from '@surety/db';
import { shardOfSlot } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import {
  StoreError,
  applySteps,
  fundAccounts,
  openAccounts,
  requestTransfers,
  voidTransfers,
} from '@surety/saga';
import type { AuditEntry, Fence } from '@surety/saga';
import { aDeposit, aTransferRequest, anAccountIdOn, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { patrolShard } from '../patrol-shard.js';
import type { Trouble } from '../sweeps/repair.js';
import type { PatrolContext, PatrolShard } from './ports.js';
import { ShardPatrol } from './shard-patrol.js';

const STALL_MS = 30_000;
const HOUR_MS = 3_600_000;

let shards: TestShards;
let source: Shard;
let destination: Shard;
let payer: string;
let payee: string;
let clock: { ms: number };
let told: {
  troubles: Trouble[];
  projected: AuditEntry[];
  strays: number[];
  removed: number;
  rings: number;
};
let n = 0;

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [source, destination] = shards.pools.shards as [Shard, Shard];
});

afterAll(async () => {
  await shards?.drop();
});

beforeEach(async () => {
  for (const shard of [source, destination]) {
    const tables = ['transfers', 'open_transfers', 'transfer_events', 'holds', 'decisions'];
    const more = ['ledger_entries', 'accounts', 'idempotency_keys', 'outbox', 'audit_log'];
    const rest = ['balances', 'transaction_status', 'sweep_positions', 'leases', 'lease_fences'];
    await shard.send([...tables, ...more, ...rest].map((table) => `DELETE FROM ${table}`));
  }
  n += 1;
  const map = shards.pools.slotMaps.current();
  payer = anAccountIdOn(map, 0, `payer-${n}`);
  payee = anAccountIdOn(map, 1, `payee-${n}`);
  await openAccounts(source.store, [anOpening(payer)]);
  await openAccounts(destination.store, [anOpening(payee)]);
  await fundAccounts(source.store, [aDeposit(payer, eur(100_00), n)]);
  clock = { ms: 0 };
  told = { troubles: [], projected: [], strays: [], removed: 0, rings: 0 };
});

async function fenceOf(shard: Shard): Promise<Fence> {
  const held = await acquireLease(shard, { name: 'reconciler', holder: 'spec', ttlMs: HOUR_MS });
  return { shard: shard.id, lease: 'reconciler', token: held!.token };
}

async function contextOf(
  shard: Shard,
  change: (shard: PatrolShard) => PatrolShard = (same) => same,
): Promise<PatrolContext> {
  const all = shards.pools.shards.map((one) => change(patrolShard(one)));
  return {
    shard: all[shard.id]!,
    fence: await fenceOf(shard),
    stallTimeoutMs: STALL_MS,
    listener: {
      projected: (_, line) => told.projected.push(line),
      keysRemoved: (_, count) => (told.removed += count),
      strays: (_, count) => told.strays.push(count),
      trouble: (trouble) => told.troubles.push(trouble),
    },
    shardOf: (slot) => all[shardOfSlot(shards.pools.slotMaps.current(), slot)]!,
    refreshMap: async () => {
      await shards.pools.slotMaps.reload();
    },
    ringOutbox: () => (told.rings += 1),
    mayGoOn: () => true,
  };
}

function aPatrol(): ShardPatrol {
  return new ShardPatrol({ stallTimeoutMs: STALL_MS, nowMs: () => clock.ms });
}

async function requested(): Promise<Envelope> {
  const request = aTransferRequest({ n, source: payer, destination: payee, amount: eur(10_00) });
  await requestTransfers(source.store, [request]);
  return eventOf(source, request.transferId, 10);
}

async function eventOf(shard: Shard, id: TransferId, step: number): Promise<Envelope> {
  const row = (await readTimeline(shard, id)).find((event) => event.step === step);
  return readEnvelope(row!.envelope);
}

async function rows(shard: Shard, sql: string): Promise<string> {
  const [result] = await shard.send([sql]);
  return JSON.stringify(result?.rows.map((row) => row.map(String)));
}

function hex(id: TransferId): string {
  return `x'${id.replaceAll('-', '')}'`;
}

describe('a decision whose transfer its source does not know', () => {
  async function strayDecision(): Promise<TransferId> {
    const cause = await requested();
    await voidTransfers(destination.store, [{ cause, reason: 'hold_expired', actor: 'spec' }]);
    const { transferId } = cause;
    await source.send([`DELETE FROM transfers WHERE id = ${hex(transferId)}`]);
    return transferId;
  }

  it('is an alarm after it was seen so for a minute, told of once, and never touched', async () => {
    const transferId = await strayDecision();
    const context = await contextOf(destination);
    const patrol = aPatrol();
    const before = await rows(destination, 'SELECT * FROM decisions');
    await patrol.run(context);
    clock.ms = 59_999;
    await patrol.run(context);
    expect(told.troubles).toEqual([]);
    clock.ms = 60_000;
    await patrol.run(context);
    await patrol.run(context);
    expect(told.troubles).toMatchObject([{ kind: 'stray_decision', shard: 1, transferId }]);
    expect(told.strays).toEqual([0, 0, 1, 1]);
    expect(await rows(destination, 'SELECT * FROM decisions')).toBe(before);
  });

  it('is no alarm where the source answers for it meanwhile', async () => {
    const cause = await requested();
    await voidTransfers(destination.store, [{ cause, reason: 'hold_expired', actor: 'spec' }]);
    let isForgetful = true;
    const context = await contextOf(destination, (shard) => ({
      ...shard,
      known: async (ids) => (isForgetful ? new Set() : shard.known(ids)),
    }));
    const patrol = aPatrol();
    await patrol.run(context);
    isForgetful = false;
    clock.ms = 60_000;
    await patrol.run(context);
    expect(told).toMatchObject({ troubles: [], strays: [0, 0] });
  });

  it('is no alarm while the source is away', async () => {
    await strayDecision();
    const away = new StoreError('environment', 'away');
    const context = await contextOf(destination, (shard) => ({
      ...shard,
      known: () => Promise.reject(away),
    }));
    const patrol = aPatrol();
    await patrol.run(context);
    clock.ms = 120_000;
    await patrol.run(context);
    expect(told).toMatchObject({ troubles: [], strays: [0, 0] });
  });
});

describe('a projection', () => {
  async function ended(): Promise<TransferId> {
    const first = await requested();
    const options = { holdTimeoutMs: HOUR_MS, actor: 'spec' };
    await applySteps(source.store, [first], options);
    const { transferId } = first;
    await applySteps(destination.store, [await eventOf(source, transferId, 20)], options);
    await applySteps(source.store, [await eventOf(destination, transferId, 30)], options);
    return transferId;
  }

  /** A held transfer, of which something is told. */
  async function underWay(status: string, step: number): Promise<TransferId> {
    const first = await requested();
    const { transferId } = first;
    await applySteps(source.store, [first], { holdTimeoutMs: HOUR_MS, actor: 'spec' });
    await source.send([
      'INSERT INTO transaction_status (transfer_id, slot, status, reason, version, updated_at) ' +
        `VALUES (${hex(transferId)}, 1, '${status}', NULL, ${step}, NOW(6))`,
    ]);
    return transferId;
  }

  it.each([
    ['that is missing', 'DELETE FROM'],
    ['that is behind', 'UPDATE'],
    ['that is wrong', 'WRONG'],
  ])('%s is made from the truth, when it was so for the stall time-out', async (_, how) => {
    const id = await ended();
    const account = `'${payer}'`;
    const [status, balance] = [`'cancelled', NULL`, `99, 9`];
    const version = how === 'WRONG' ? ['40', '9'] : ['20', '1'];
    if (how !== 'DELETE FROM') {
      await source.send([
        'INSERT INTO transaction_status (transfer_id, slot, status, reason, version, updated_at) ' +
          `VALUES (${hex(id)}, 1, ${status}, ${version[0]}, NOW(6))`,
        'INSERT INTO balances (account_id, slot, currency, balance, held, version, updated_at) ' +
          `VALUES (${account}, 1, 'EUR', ${balance}, ${version[1]}, NOW(6))`,
      ]);
    }
    const context = await contextOf(source);
    const patrol = aPatrol();
    await patrol.run(context);
    clock.ms = STALL_MS - 1;
    await patrol.run(context);
    expect(told.projected).toEqual([]);
    clock.ms = STALL_MS;
    await patrol.run(context);
    expect(await readTransactionStatus(source, id)).toMatchObject({
      status: 'committed',
      version: 40,
    });
    expect(await readBalance(source, payer)).toMatchObject({ balance: 90_00n, held: 0n });
    const lines = told.projected.map(({ transferId, accountId }) => transferId ?? accountId);
    expect(lines).toEqual(expect.arrayContaining([id, payer]));
    expect(
      await rows(source, "SELECT COUNT(*) FROM audit_log WHERE action = 'reconcile.project'"),
    ).toContain(String(told.projected.length));
    told.projected = [];
    clock.ms = 3 * STALL_MS;
    await patrol.run(context);
    await patrol.run(context);
    expect(told.projected).toEqual([]);
  });

  it.each([
    ['an end that has not come', 'committed', 40],
    ['what is no longer so', 'requested', 10],
  ])(
    'of a transfer under way, saying %s, goes after the stall time-out',
    async (_, status, step) => {
      const id = await underWay(status, step);
      const context = await contextOf(source);
      const patrol = aPatrol();
      await patrol.run(context);
      clock.ms = STALL_MS - 1;
      await patrol.run(context);
      expect(await readTransactionStatus(source, id)).toMatchObject({ status });
      clock.ms = STALL_MS;
      await patrol.run(context);
      expect(await readTransactionStatus(source, id)).toBeUndefined();
      const line = told.projected.find(({ transferId }) => transferId === id);
      expect([line?.before, line?.after]).toEqual([
        { status, version: step },
        { status: null, version: null },
      ]);
    },
  );

  it('of a transfer under way may be absent, and may say what is so', async () => {
    const id = await underWay('held', 20);
    const context = await contextOf(source);
    const patrol = aPatrol();
    await patrol.run(context);
    clock.ms = STALL_MS;
    await patrol.run(context);
    expect(await readTransactionStatus(source, id)).toMatchObject({ status: 'held', version: 20 });
    await source.send(['DELETE FROM transaction_status']);
    await patrol.run(context);
    clock.ms = 3 * STALL_MS;
    await patrol.run(context);
    expect(await readTransactionStatus(source, id)).toBeUndefined();
    expect(told.projected.filter(({ transferId }) => transferId === id)).toEqual([]);
  });

  it('of a transfer that ended meanwhile stays', async () => {
    const id = await underWay('committed', 40);
    const end = (state: string) => [
      `UPDATE transfers SET state = '${state}' WHERE id = ${hex(id)}`,
    ];
    const context = await contextOf(source, (shard) => ({
      ...shard,
      repairProjections: async (repair, fence) => {
        await source.send(end('committed'));
        await shard.repairProjections(repair, fence);
        await source.send(end('held'));
      },
    }));
    const patrol = aPatrol();
    await patrol.run(context);
    clock.ms = STALL_MS;
    await patrol.run(context);
    expect(await readTransactionStatus(source, id)).toMatchObject({ status: 'committed' });
  });

  it('is no copy of a row that its own leg or event contradicts', async () => {
    const id = await ended();
    await source.send([
      `UPDATE accounts SET balance = balance + 1 WHERE id = '${payer}'`,
      `UPDATE transfers SET state = 'held' WHERE id = ${hex(id)}`,
    ]);
    const context = await contextOf(source);
    const patrol = aPatrol();
    await patrol.run(context);
    clock.ms = STALL_MS;
    await patrol.run(context);
    expect(await readTransactionStatus(source, id)).toBeUndefined();
    expect(await readBalance(source, payer)).toBeUndefined();
    await source.send([`UPDATE accounts SET balance = balance - 1 WHERE id = '${payer}'`]);
    await patrol.run(context);
    clock.ms = 3 * STALL_MS;
    await patrol.run(context);
    expect(await readBalance(source, payer)).toMatchObject({ balance: 90_00n });
  });

  it('is left alone where the lease has a newer holder', async () => {
    await ended();
    const context = await contextOf(source);
    const patrol = aPatrol();
    await patrol.run(context);
    clock.ms = STALL_MS;
    await fenceOf(source);
    await expect(patrol.run(context)).rejects.toMatchObject({ kind: 'fenced' });
    expect(await rows(source, 'SELECT * FROM transaction_status')).toBe('[]');
    expect(await rows(source, 'SELECT * FROM audit_log')).toBe('[]');
  });
});

describe('an idempotency key', () => {
  const expire = 'UPDATE idempotency_keys SET expires_at = NOW(6) - INTERVAL 1 SECOND';
  const keys = 'SELECT COUNT(*) FROM idempotency_keys';

  it('goes when it has lived its time and its transfer has ended', async () => {
    // The deposit of the set-up ended at once.
    await aPatrol().run(await contextOf(source));
    expect([told.removed, await rows(source, keys)]).toEqual([0, '[["1"]]']);
    await source.send([expire]);
    await aPatrol().run(await contextOf(source));
    expect([told.removed, await rows(source, keys)]).toEqual([1, '[["0"]]']);
  });

  it('stays while its transfer is open, or absent', async () => {
    const { transferId } = await requested();
    await source.send([expire]);
    await aPatrol().run(await contextOf(source));
    expect(told.removed).toBe(1);
    await source.send([`DELETE FROM transfers WHERE id = ${hex(transferId)}`]);
    await aPatrol().run(await contextOf(source));
    expect([told.removed, await rows(source, keys)]).toEqual([1, '[["1"]]']);
  });

  it('is looked for again a minute after the walk has come to its end', async () => {
    const patrol = aPatrol();
    const context = await contextOf(source);
    await patrol.run(context);
    await source.send([expire]);
    clock.ms += 59_999;
    await patrol.run(context);
    expect(told.removed).toBe(0);
    clock.ms += 1;
    await patrol.run(context);
    expect(told.removed).toBe(1);
  });

  it('stays where the lease has a newer holder', async () => {
    await source.send([expire]);
    const context = await contextOf(source);
    await fenceOf(source);
    await expect(aPatrol().run(context)).rejects.toMatchObject({ kind: 'fenced' });
    expect(await rows(source, keys)).toBe('[["1"]]');
  });
});

describe('an outbox', () => {
  it('that nobody empties is an alarm now and then, and wakes the relay at every pass', async () => {
    await requested();
    const context = await contextOf(source, (shard) => ({
      ...shard,
      outboxAgeMs: async () => (await shard.outboxAgeMs()) + STALL_MS + 1,
    }));
    const patrol = aPatrol();
    await patrol.run(context);
    await patrol.run(context);
    expect(told).toMatchObject({ troubles: [{ kind: 'outbox_old', shard: 0 }], rings: 2 });
    clock.ms = 2 * STALL_MS;
    await patrol.run(context);
    expect(told.troubles).toHaveLength(2);
  });

  it('that is young is none', async () => {
    await requested();
    await aPatrol().run(await contextOf(source));
    expect(told).toMatchObject({ troubles: [], rings: 0 });
  });
});

describe('a walk', () => {
  it('goes on where it ended, whoever leads next', async () => {
    const context = await contextOf(source);
    const asked: (string | undefined)[] = [];
    const shard: PatrolShard = {
      ...context.shard,
      staleBalances: async (after) => {
        asked.push(after);
        return { stale: [], next: asked.length < 3 ? `account-${asked.length}` : undefined };
      },
    };
    for (let pass = 0; pass < 4; pass += 1) await aPatrol().run({ ...context, shard });
    expect(asked).toEqual([undefined, 'account-1', 'account-2', undefined]);
  });
});
