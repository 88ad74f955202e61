import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { shardOfSlot } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { findAccount, findHold, findTransfer, readDecision, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import { applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import { aDeposit, aTransferRequest, anAccountIdOn, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { sweepShard } from '../sweep-shard.js';
import type { SweepContext } from './context.js';
import { ItemBackoff } from './item-backoff.js';
import { BY_ITSELF } from './repair.js';
import type { Repair, Trouble } from './repair.js';
import { ShardSweeps } from './run-sweeps.js';

const AT_ONCE_MS = 1;
const FAR_AWAY_MS = 3_600_000;
const DEADLINE_MS = 10_000;

let shards: TestShards;
let source: Shard;
let destination: Shard;
let sourceId: string;
let destinationId: string;
let n = 0;

function accountOn(shard: number, prefix: string): string {
  return anAccountIdOn(shards.pools.slotMaps.current(), shard, prefix);
}

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [source, destination] = shards.pools.shards as [Shard, Shard];
});

afterAll(async () => {
  await shards?.drop();
});

beforeEach(async () => {
  n += 1;
  sourceId = accountOn(0, `payer-${n}`);
  destinationId = accountOn(1, `payee-${n}`);
  await openAccounts(source.store, [anOpening(sourceId)]);
  await fundAccounts(source.store, [aDeposit(sourceId, eur(100_00), n)]);
  await openAccounts(destination.store, [anOpening(destinationId)]);
});

async function requested(to = destinationId): Promise<Envelope> {
  const request = aTransferRequest({ n, source: sourceId, destination: to, amount: eur(30_00) });
  await requestTransfers(source.store, [request]);
  return (await eventsOn(source, request.transferId)).get(10)!;
}

async function held(holdTimeoutMs: number, to = destinationId): Promise<Envelope> {
  const event = await requested(to);
  await applySteps(source.store, [event], { holdTimeoutMs, actor: 'saga' });
  return (await eventsOn(source, event.transferId)).get(20)!;
}

async function eventsOn(shard: Shard, id: TransferId): Promise<ReadonlyMap<number, Envelope>> {
  const rows = await readTimeline(shard, id);
  return new Map(rows.map((row) => [row.step, readEnvelope(row.envelope)]));
}

interface Timeouts {
  readonly holdTimeoutMs: number;
  readonly stallTimeoutMs: number;
}

async function sweep(timeouts: Timeouts): Promise<{ repairs: Repair[]; troubles: Trouble[] }> {
  const sweepShards = shards.pools.shards.map(sweepShard);
  const repairs: Repair[] = [];
  const troubles: Trouble[] = [];
  const now = (): number => performance.now();
  const backoff = { firstMs: FAR_AWAY_MS, maxMs: FAR_AWAY_MS, itemsMax: 100, now };
  const context: SweepContext = {
    ...timeouts,
    source: sweepShards[0]!,
    dryRun: false,
    author: BY_ITSELF,
    itemBackoff: new ItemBackoff(backoff),
    shardBackoff: new ItemBackoff(backoff),
    listener: {
      repaired: (repair) => repairs.push(repair),
      trouble: (trouble) => troubles.push(trouble),
    },
    shardOf: (slot) => sweepShards[shardOfSlot(shards.pools.slotMaps.current(), slot)]!,
    carries: (slot) => shardOfSlot(shards.pools.slotMaps.current(), slot) === 0,
    mayGoOn: () => true,
  };
  await new ShardSweeps().run(context);
  return { repairs, troubles };
}

/** Sweeps until the database's clock has reached what the test waits for. */
async function sweepUntil(id: TransferId, state: string, timeouts: Timeouts): Promise<Repair[]> {
  const until = Date.now() + DEADLINE_MS;
  const all: Repair[] = [];
  for (;;) {
    const { repairs, troubles } = await sweep(timeouts);
    expect(troubles).toEqual([]);
    all.push(...repairs.filter((repair) => repair.transferId === id));
    const transfer = await findTransfer(source, id);
    if (transfer?.state === state) return all;
    if (Date.now() > until) throw new Error(`${id} is still ${transfer?.state}`);
  }
}

const EXPIRED = { holdTimeoutMs: FAR_AWAY_MS, stallTimeoutMs: FAR_AWAY_MS };

async function everyRow(): Promise<string> {
  const tables = [
    'accounts ORDER BY id',
    'transfers ORDER BY id',
    'open_transfers ORDER BY transfer_id',
    'transfer_events ORDER BY transfer_id, step',
    'holds ORDER BY transfer_id',
    'decisions ORDER BY transfer_id',
    'ledger_entries ORDER BY transfer_id, step, leg',
  ];
  const all = await Promise.all(
    [source, destination].map((shard) =>
      shard.send(tables.map((table) => `SELECT * FROM ${table}`)),
    ),
  );
  return JSON.stringify(all.map((results) => results.map((result) => result.rows)));
}

describe('an orphaned hold', () => {
  it('is cancelled after its destination was fenced, and the old steps change nothing more', async () => {
    const event = await held(AT_ONCE_MS);
    const id = event.transferId;
    const repairs = await sweepUntil(id, 'cancelled', EXPIRED);
    expect(repairs.map(({ kind, shard }) => [kind, shard])).toEqual([
      ['void', 1],
      ['release', 0],
    ]);
    expect(await findTransfer(source, id)).toMatchObject({ reason: 'hold_expired' });
    expect(await readDecision(destination, id)).toMatchObject({
      decision: { outcome: 'voided', reason: 'hold_expired' },
    });
    expect(await findHold(source, id)).toBeUndefined();
    expect(await findAccount(source, sourceId)).toMatchObject({ balance: 100_00n, held: 0n });

    const before = await everyRow();
    const voided = (await eventsOn(destination, id)).get(30)!;
    const requestedEvent = (await eventsOn(source, id)).get(10)!;
    const options = { holdTimeoutMs: FAR_AWAY_MS, actor: 'saga' };
    for (let repeat = 0; repeat < 3; repeat += 1) {
      await applySteps(source.store, [requestedEvent, voided], options);
      await applySteps(destination.store, [event], options);
    }
    expect(await everyRow()).toBe(before);
  });

  it('is written down in audit_log on both shards', async () => {
    const { transferId } = await held(AT_ONCE_MS);
    await sweepUntil(transferId, 'cancelled', EXPIRED);
    const sql =
      'SELECT actor, action, reason, state_before, state_after FROM audit_log ' +
      `WHERE transfer_id = x'${transferId.replaceAll('-', '')}'`;
    const [[there], [here]] = await Promise.all([destination.send([sql]), source.send([sql])]);
    expect(there?.rows).toEqual([
      [
        'reconciler',
        'reconcile.void',
        'hold_expired',
        '{"decision":null}',
        `{"decision":"voided","reason":"hold_expired","event":"${transferId}/30","answers":"${transferId}/20"}`,
      ],
    ]);
    expect(here?.rows.map((row) => row.slice(0, 3))).toEqual([
      ['reconciler', 'reconcile.release', 'hold_expired'],
    ]);
  });

  it('is rolled forward where its destination has credited', async () => {
    const event = await held(AT_ONCE_MS);
    const options = { holdTimeoutMs: FAR_AWAY_MS, actor: 'saga' };
    await applySteps(destination.store, [event], options);
    const repairs = await sweepUntil(event.transferId, 'committed', EXPIRED);
    expect(repairs.map(({ kind }) => kind)).toEqual(['commit']);
    expect(await findAccount(source, sourceId)).toMatchObject({ balance: 70_00n, held: 0n });
    expect(await findAccount(destination, destinationId)).toMatchObject({ balance: 30_00n });
  });

  it('is rejected where its destination has refused', async () => {
    const event = await held(AT_ONCE_MS, accountOn(1, `nobody-${n}`));
    await applySteps(destination.store, [event], { holdTimeoutMs: FAR_AWAY_MS, actor: 'saga' });
    const repairs = await sweepUntil(event.transferId, 'rejected', EXPIRED);
    expect(repairs.map(({ kind }) => kind)).toEqual(['release']);
    expect(await findTransfer(source, event.transferId)).toMatchObject({
      reason: 'destination_not_found',
    });
  });

  it('stays while it has not expired by the clock of the database', async () => {
    const { transferId } = await held(FAR_AWAY_MS);
    const { repairs } = await sweep(EXPIRED);
    expect(repairs).toEqual([]);
    expect(await findHold(source, transferId)).toBeDefined();
  });
});

describe('a transfer that stands still', () => {
  const STALLED = { holdTimeoutMs: FAR_AWAY_MS, stallTimeoutMs: AT_ONCE_MS };

  async function sentAgain(id: TransferId): Promise<string[]> {
    await source.send(['DELETE FROM outbox']);
    const until = Date.now() + DEADLINE_MS;
    for (;;) {
      const { repairs } = await sweep(STALLED);
      if (repairs.some((repair) => repair.transferId === id)) break;
      if (Date.now() > until) throw new Error(`${id} was not sent again`);
    }
    const [outbox] = await source.send(['SELECT topic, payload FROM outbox']);
    return (outbox?.rows ?? []).map((row) => row.join(' ')).filter((row) => row.includes(id));
  }

  it('is sent again from its stored event, the same bytes', async () => {
    const { transferId } = await requested();
    const rows = await readTimeline(source, transferId);
    const [message, ...others] = await sentAgain(transferId);
    expect(message).toContain(rows[0]!.envelope);
    expect(others).toEqual([]);
  });

  it('is sent to its destination again where it is held and undecided', async () => {
    const { transferId } = await held(FAR_AWAY_MS);
    const [message] = await sentAgain(transferId);
    expect(message).toContain('toDestination');
  });

  it('is settled where its destination has decided', async () => {
    const event = await held(FAR_AWAY_MS);
    await applySteps(destination.store, [event], { holdTimeoutMs: FAR_AWAY_MS, actor: 'saga' });
    const repairs = await sweepUntil(event.transferId, 'committed', STALLED);
    expect(repairs.at(-1)).toMatchObject({ kind: 'commit', cause: 'standing_still' });
  });

  it('is rejected where nobody took it up within twice the hold time-out', async () => {
    const { transferId } = await requested();
    const repairs = await sweepUntil(transferId, 'rejected', {
      holdTimeoutMs: AT_ONCE_MS,
      stallTimeoutMs: AT_ONCE_MS,
    });
    expect(repairs.at(-1)).toMatchObject({ kind: 'expire', cause: 'not_taken_up' });
    expect(await findTransfer(source, transferId)).toMatchObject({ reason: 'not_processed' });
    const [open] = await source.send([
      `SELECT 1 FROM open_transfers WHERE transfer_id = x'${transferId.replaceAll('-', '')}'`,
    ]);
    expect(open?.rows).toEqual([]);
  });
});

/** The last: what they leave behind cannot be repaired. */
describe('an event that cannot be read', () => {
  const ALL_DUE = { holdTimeoutMs: FAR_AWAY_MS, stallTimeoutMs: AT_ONCE_MS };
  const NEWER = `REPLACE(envelope, '"schema":2', '"schema":3')`;

  async function spoil(shard: Shard, { transferId, step }: Envelope, text: string): Promise<void> {
    const [result] = await shard.send([
      `UPDATE transfer_events SET envelope = ${text} ` +
        `WHERE transfer_id = x'${transferId.replaceAll('-', '')}' AND step = ${step}`,
    ]);
    expect(result?.affectedRows).toBe(1);
  }

  it.each([
    ['a newer release wrote it', NEWER],
    ['schema 9', `'{"schema":9}'`],
    ['JSON', `'{'`],
    ['slot', `REPLACE(envelope, '"slots":[', '"slots":[9')`],
    ['tells of f', `REPLACE(envelope, '"id":"0', '"id":"f')`],
  ])('keeps no other transfer from being repaired: %s', async (reason, text) => {
    const broken = await held(AT_ONCE_MS);
    await spoil(source, broken, text);
    n += 1;
    const sound = await held(AT_ONCE_MS);
    const until = Date.now() + DEADLINE_MS;
    for (;;) {
      const { troubles } = await sweep(ALL_DUE);
      const told = troubles.filter(({ transferId }) => transferId === broken.transferId);
      expect(told[0]).toMatchObject({ kind: 'data', message: expect.stringContaining(reason) });
      if ((await findTransfer(source, sound.transferId))?.state === 'cancelled') break;
      expect(Date.now()).toBeLessThan(until);
    }
    expect(await findTransfer(source, broken.transferId)).toMatchObject({ state: 'held' });
  });

  it('is not taken for a destination that is away', async () => {
    const broken = await held(AT_ONCE_MS);
    const options = { holdTimeoutMs: FAR_AWAY_MS, actor: 'saga' };
    await applySteps(destination.store, [broken], options);
    await spoil(destination, { ...broken, step: 30 }, NEWER);
    n += 1;
    const { transferId } = await held(AT_ONCE_MS);
    const until = Date.now() + DEADLINE_MS;
    for (;;) {
      const { troubles } = await sweep(ALL_DUE);
      expect(troubles.map(({ kind }) => kind)).not.toContain('shard_away');
      if ((await findTransfer(source, transferId))?.state === 'cancelled') break;
      expect(Date.now()).toBeLessThan(until);
    }
  });
});
