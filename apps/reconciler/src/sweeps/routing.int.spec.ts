import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import { findTransfer, listExpiredHolds, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import { applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import { aDeposit, aTransferRequest, anAccountIdOn, anOpening, eur, until } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { sweepShard } from '../sweep-shard.js';
import { ItemBackoff } from './item-backoff.js';
import { BY_ITSELF } from './repair.js';
import type { Repair, Trouble } from './repair.js';
import { runRouted } from './routing.js';
import { ShardSweeps } from './run-sweeps.js';

const FAR_AWAY_MS = 3_600_000;
const EXPIRED_MS = 1;

let shards: TestShards;

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
});

afterAll(async () => {
  await shards?.drop();
});

const SLOTTED = [
  ...['accounts', 'transfers', 'open_transfers', 'holds', 'transfer_events', 'decisions'],
  ...['ledger_entries', 'idempotency_keys'],
];

let keys = 0;

/** A transfer between two shards of which nothing but the hold has happened yet. */
async function heldTransfer(holdTimeoutMs: number): Promise<Envelope> {
  const { pools } = shards;
  const [source, destination] = pools.shards as [Shard, Shard];
  const map = pools.slotMaps.current();
  keys += 1;
  const payer = anAccountIdOn(map, 0, `payer-${keys}`);
  const payee = anAccountIdOn(map, 1, `payee-${keys}`);
  await openAccounts(source.store, [anOpening(payer)]);
  await fundAccounts(source.store, [aDeposit(payer, eur(100_00), keys)]);
  await openAccounts(destination.store, [anOpening(payee)]);
  const request = aTransferRequest({ n: keys, source: payer, destination: payee, amount: eur(1) });
  await requestTransfers(source.store, [request]);
  const requested = await eventOn(source, request.transferId, 10);
  await applySteps(source.store, [requested], { holdTimeoutMs, actor: 'saga' });
  return eventOn(source, request.transferId, 20);
}

async function eventOn(shard: Shard, id: TransferId, step: number): Promise<Envelope> {
  const row = (await readTimeline(shard, id)).find((one) => one.step === step);
  return readEnvelope(row!.envelope);
}

/** A pass of the first shard, to which everything is due that is open. */
async function pass(
  stallTimeoutMs: number,
): Promise<{ readonly repairs: readonly Repair[]; readonly troubles: readonly Trouble[] }> {
  const { pools } = shards;
  const sweepShards = pools.shards.map(sweepShard);
  const now = (): number => performance.now();
  const backoff = { firstMs: FAR_AWAY_MS, maxMs: FAR_AWAY_MS, itemsMax: 100, now };
  const repairs: Repair[] = [];
  const troubles: Trouble[] = [];
  const sweeps = new ShardSweeps();
  await runRouted({ slotMaps: pools.slotMaps, shards: sweepShards, source: 0 }, (route) =>
    sweeps.run({
      ...route,
      holdTimeoutMs: FAR_AWAY_MS,
      stallTimeoutMs,
      dryRun: false,
      author: BY_ITSELF,
      itemBackoff: new ItemBackoff(backoff),
      shardBackoff: new ItemBackoff(backoff),
      listener: {
        repaired: (repair) => repairs.push(repair),
        trouble: (trouble) => troubles.push(trouble),
      },
      mayGoOn: () => true,
    }),
  );
  return { repairs, troubles };
}

async function allRows(shard: Shard): Promise<unknown> {
  const results = await shard.send(
    [...SLOTTED, 'outbox'].map((table) => `SELECT * FROM ${table} ORDER BY 1, 2, 3`),
  );
  return results.map(({ rows }) => rows);
}

describe('a pass over shards whose slot map has changed', () => {
  it('reads the map again and ends the orphaned hold', async () => {
    const { pools } = shards;
    const [source] = pools.shards as [Shard, Shard];
    const { epoch } = pools.slotMaps.current();
    const { transferId } = await heldTransfer(EXPIRED_MS);
    for (const shard of pools.shards) await shard.send(['UPDATE placement SET epoch = epoch + 1']);
    await until(async () => (await listExpiredHolds(source, 1)).length === 1, 'the hold expires');
    const { repairs, troubles } = await pass(FAR_AWAY_MS);

    expect(repairs.map(({ kind }) => kind)).toEqual(['void', 'release']);
    expect(troubles).toEqual([]);
    expect(await findTransfer(source, transferId)).toMatchObject({ state: 'cancelled' });
    expect(pools.slotMaps.current().epoch).toBe(epoch + 1n);
  });

  /** They are copied before the switch and removed after it: a shard cannot give them away at once. */
  it('leaves alone what a slot has left behind', async () => {
    const { pools } = shards;
    const [from, to] = pools.shards as [Shard, Shard];
    const waiting = await heldTransfer(EXPIRED_MS);
    const decided = await heldTransfer(FAR_AWAY_MS);
    for (const { sourceSlot: slot } of [waiting, decided]) {
      const schema = new URL(shards.urls[from.id] as string).pathname.slice(1);
      for (const table of SLOTTED) {
        await to.send([
          `INSERT INTO ${table} SELECT * FROM ${schema}.${table} WHERE slot = ${slot}`,
        ]);
      }
    }
    const map = JSON.stringify([{ fromSlot: 0, shard: to.id }]);
    for (const shard of pools.shards) {
      await shard.send([`UPDATE placement SET epoch = epoch + 1, slot_map = '${map}'`]);
    }
    await pools.slotMaps.reload();
    // Both go on where they are now.
    const options = { holdTimeoutMs: FAR_AWAY_MS, actor: 'saga' };
    await applySteps(to.store, [waiting, decided], options);
    for (const { transferId } of [waiting, decided]) {
      await applySteps(to.store, [await eventOn(to, transferId, 30)], options);
      expect(await findTransfer(to, transferId)).toMatchObject({ state: 'committed' });
    }
    const before = await allRows(from);
    const { repairs, troubles } = await pass(EXPIRED_MS);
    expect({ repairs, troubles }).toEqual({ repairs: [], troubles: [] });
    expect(await allRows(from)).toEqual(before);
  });
});
