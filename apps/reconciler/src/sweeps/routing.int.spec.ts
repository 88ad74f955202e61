import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
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

describe('a pass over shards whose slot map has changed', () => {
  it('reads the map again and ends the orphaned hold', async () => {
    const { pools } = shards;
    const [source, destination] = pools.shards as [Shard, Shard];
    const map = pools.slotMaps.current();
    const [payer, payee] = [anAccountIdOn(map, 0, 'payer'), anAccountIdOn(map, 1, 'payee')];
    await openAccounts(source.store, [anOpening(payer)]);
    await fundAccounts(source.store, [aDeposit(payer, eur(100_00), 1)]);
    await openAccounts(destination.store, [anOpening(payee)]);
    const request = aTransferRequest({ n: 1, source: payer, destination: payee, amount: eur(1) });
    await requestTransfers(source.store, [request]);
    const [row] = await readTimeline(source, request.transferId);
    const event = readEnvelope(row!.envelope);
    await applySteps(source.store, [event], { holdTimeoutMs: EXPIRED_MS, actor: 'saga' });

    for (const shard of pools.shards) await shard.send(['UPDATE placement SET epoch = epoch + 1']);
    const sweepShards = pools.shards.map(sweepShard);
    const now = (): number => performance.now();
    const backoff = { firstMs: FAR_AWAY_MS, maxMs: FAR_AWAY_MS, itemsMax: 100, now };
    const repairs: Repair[] = [];
    const troubles: Trouble[] = [];
    const sweeps = new ShardSweeps();
    const pass = (): Promise<void> =>
      runRouted({ slotMaps: pools.slotMaps, shards: sweepShards, source: 0 }, (route) =>
        sweeps.run({
          ...route,
          holdTimeoutMs: FAR_AWAY_MS,
          stallTimeoutMs: FAR_AWAY_MS,
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
    await until(async () => (await listExpiredHolds(source, 1)).length === 1, 'the hold expires');
    await pass();

    expect(repairs.map(({ kind }) => kind)).toEqual(['void', 'release']);
    expect(troubles).toEqual([]);
    expect(await findTransfer(source, request.transferId)).toMatchObject({ state: 'cancelled' });
    expect(pools.slotMaps.current().epoch).toBe(map.epoch + 1n);
  });
});
