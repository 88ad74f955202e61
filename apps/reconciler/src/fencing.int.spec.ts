import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import { findTransfer, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import type { TransferId } from '@surety/domain';
import { createLogger, createMetrics } from '@surety/runtime';
import type { Lease } from '@surety/runtime';
import { applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import type { Fence, RoutableStore, ShardStore } from '@surety/saga';
import {
  aDeposit,
  aTransferRequest,
  anAccountIdOn,
  anOpening,
  eur,
  eventually,
} from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { readConfig } from './config.js';
import { reconcilerLease } from './lease.js';
import { ShardLoops } from './shard-loops.js';
import { sweepShard } from './sweep-shard.js';
import type { Repair, Trouble } from './sweeps/repair.js';
import type { RoutableSweepShard } from './sweeps/routing.js';

const DEADLINE_MS = 30_000;

/** Where a process is paused: it stands there until it is let go. */
class Gate {
  isReached = false;
  #open: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  async pass(): Promise<void> {
    this.isReached = true;
    await this.#opened;
  }

  open(): void {
    this.#open();
  }
}

let shards: TestShards;
let source: Shard;
let destination: Shard;
let n = 0;
const loops: ShardLoops[] = [];
const gates: Gate[] = [];
const metrics = createMetrics('reconciler');

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [source, destination] = shards.pools.shards as [Shard, Shard];
});

beforeEach(async () => {
  await source.send(['DELETE FROM leases']);
  await destination.send(['DELETE FROM lease_fences']);
});

afterEach(async () => {
  for (const gate of gates.splice(0)) gate.open();
  await Promise.all(loops.splice(0).map((one) => one.stop()));
});

afterAll(async () => {
  await shards?.drop();
});

async function orphanedHold(): Promise<TransferId> {
  n += 1;
  const map = shards.pools.slotMaps.current();
  const payer = anAccountIdOn(map, 0, `payer-${n}`);
  const payee = anAccountIdOn(map, 1, `payee-${n}`);
  await openAccounts(source.store, [anOpening(payer)]);
  await openAccounts(destination.store, [anOpening(payee)]);
  await fundAccounts(source.store, [aDeposit(payer, eur(100_00), n)]);
  const request = aTransferRequest({ n, source: payer, destination: payee, amount: eur(10_00) });
  await requestTransfers(source.store, [request]);
  const [row] = await readTimeline(source, request.transferId);
  const requested = readEnvelope(row!.envelope);
  await applySteps(source.store, [requested], { holdTimeoutMs: 1, actor: 'saga' });
  return request.transferId;
}

/** A shard whose transactions stop at the gate before they reach the database. */
function gated(shard: RoutableSweepShard, gate: Gate): RoutableSweepShard {
  const behind = (store: ShardStore): ShardStore => ({
    shard: store.shard,
    transact: async (load, decide) => {
      await gate.pass();
      return store.transact(load, decide);
    },
  });
  const store: RoutableStore = {
    ...behind(shard.store),
    at: (epoch: bigint, fence?: Fence) => behind(shard.store.at(epoch, fence)),
  };
  return { ...shard, store };
}

/** A shard on which there is nothing to do: its reconciler only leads. */
function idle(shard: RoutableSweepShard): RoutableSweepShard {
  return {
    ...shard,
    reads: {
      ...shard.reads,
      expiredHolds: async () => [],
      openTransfers: async () => ({ transfers: [], next: undefined }),
    },
  };
}

interface Reconciler {
  readonly repairs: Repair[];
  readonly troubles: Trouble[];
}

/** A process that is stopped neither renews its lease nor takes it. */
function stoppedWith(gate: Gate, lease: Lease): Lease {
  return {
    ...lease,
    acquire: async () => {
      if (gate.isReached) await gate.pass();
      return lease.acquire();
    },
    renew: async (token) => {
      if (gate.isReached) await gate.pass();
      return lease.renew(token);
    },
  };
}

/** The loops of the first shard as the process runs them. */
function reconciler(
  holder: string,
  sweepShards: readonly RoutableSweepShard[],
  gate?: Gate,
): Reconciler {
  const lease = reconcilerLease(source, holder);
  const repairs: Repair[] = [];
  const troubles: Trouble[] = [];
  const config = readConfig({
    SURETY_SHARDS: shards.urls.join(','),
    SURETY_KAFKA_BROKERS: '127.0.0.1:1',
    SURETY_REDIS_URL: 'redis://127.0.0.1:1',
    SURETY_RECONCILE_INTERVAL: '20ms',
  });
  const one = new ShardLoops({
    config,
    source: sweepShards[0]!,
    shards: sweepShards,
    lease: gate ? stoppedWith(gate, lease) : lease,
    log: createLogger({ process: 'reconciler', instance: holder, level: 'error' }),
    metrics,
    listener: {
      repaired: (repair) => repairs.push(repair),
      trouble: (trouble) => troubles.push(trouble),
    },
    slotMaps: shards.pools.slotMaps,
  });
  loops.push(one);
  one.start();
  return { repairs, troubles };
}

async function until(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
  const seen = async (): Promise<true | undefined> => ((await look()) ? true : undefined);
  await eventually(what, seen, { withinMs: DEADLINE_MS, everyMs: 20 });
}

async function everyRow(): Promise<string> {
  const tables = [
    ...['accounts ORDER BY id', 'transfers ORDER BY id', 'open_transfers ORDER BY transfer_id'],
    ...['transfer_events ORDER BY transfer_id, step', 'holds ORDER BY transfer_id'],
    ...['decisions ORDER BY transfer_id', 'ledger_entries ORDER BY transfer_id, step, leg'],
    ...['outbox ORDER BY seq', 'audit_log ORDER BY id'],
  ].map((table) => `SELECT * FROM ${table}`);
  const all = await Promise.all([source, destination].map((shard) => shard.send(tables)));
  return JSON.stringify(
    all.map((results) => results.map((result) => result.rows)),
    (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
  );
}

async function cell(shard: Shard, sql: string): Promise<string> {
  const [result] = await shard.send([sql]);
  return String(result?.rows[0]?.[0]);
}

async function timesFenced(): Promise<number> {
  const { values } = await metrics.errorsTotal.get();
  const of = values.filter(({ labels }) => labels.kind === 'reconcile_fenced');
  return of.reduce((sum, { value }) => sum + value, 0);
}

describe('a reconciler that was paused in the middle of a pass, past its lease', () => {
  it.each([
    ['before it fences a transfer at its destination', 1, 'held'],
    ['before it releases what it had fenced', 0, 'held'],
  ])('%s writes nothing after another one took over', async (_, pausedAt, state) => {
    const id = await orphanedHold();
    const gate = new Gate();
    gates.push(gate);
    const all = shards.pools.shards.map(sweepShard);
    const paused = reconciler(
      'paused',
      all.map((shard) => (shard.id === pausedAt ? gated(shard, gate) : shard)),
      gate,
    );
    await until('the pass stands at the gate', () => gate.isReached);
    // The process is stopped for longer than the lease lives; its own clock tells it nothing.
    await source.send(['UPDATE leases SET expires_at = NOW(6) - INTERVAL 1 SECOND']);
    reconciler('next', all.map(idle));
    const token = (): Promise<string> => cell(source, 'SELECT token FROM leases');
    await until('the next one leads', async () => (await token()) === '2');
    await until(
      'every shard knows it',
      async () => (await cell(destination, 'SELECT MAX(token) FROM lease_fences')) === '2',
    );
    const before = await everyRow();
    const fencedBefore = await timesFenced();
    const repairsBefore = paused.repairs.length;

    gate.open();
    await until('the paused pass ends', async () => (await timesFenced()) > fencedBefore);
    expect(await everyRow()).toBe(before);
    expect(paused.repairs).toHaveLength(repairsBefore);
    expect(paused.troubles).toEqual([]);
    expect(await findTransfer(source, id)).toMatchObject({ state });
  });

  it('leaves its work to the one that took over', async () => {
    const id = await orphanedHold();
    const gate = new Gate();
    gates.push(gate);
    const all = shards.pools.shards.map(sweepShard);
    reconciler('paused', [all[0]!, gated(all[1]!, gate)], gate);
    await until('the pass stands at the gate', () => gate.isReached);
    await source.send(['UPDATE leases SET expires_at = NOW(6) - INTERVAL 1 SECOND']);
    const next = reconciler('next', all);
    await until(
      'the hold is released',
      async () => (await findTransfer(source, id))?.state === 'cancelled',
    );
    gate.open();
    await until('its line is there', async () =>
      next.repairs.some(({ transferId, kind }) => transferId === id && kind === 'release'),
    );
    const hex = id.replaceAll('-', '');
    expect(await cell(source, `SELECT COUNT(*) FROM audit_log WHERE transfer_id = x'${hex}'`)).toBe(
      '1',
    );
  });
});
