import { beforeEach, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { evenSlotMap } from '@surety/domain';
import type { SlotMap, TransferId } from '@surety/domain';
import { StoreError, applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import type { EventRow, Fence, RoutableStore, ShardStore, SlotMaps } from '@surety/saga';
import {
  MemoryShardStore,
  aDeposit,
  aTransferRequest,
  anAccountIdOn,
  anOpening,
  eur,
} from '@surety/testing';
import type { SweepContext } from './context.js';
import { ItemBackoff } from './item-backoff.js';
import {
  OPEN_TRANSFERS_PAGE_MAX,
  OUTBOX_PATIENCE_STALLS,
  RESENDS_PER_PASS_MAX,
} from './open-transfers.js';
import { EXPIRED_HOLDS_BATCH_MAX } from './orphaned-holds.js';
import type { HoldCursor, OpenTransferCursor, OpenTransferPage, SweepReads } from './ports.js';
import { BY_ITSELF } from './repair.js';
import type { Repair, Trouble } from './repair.js';
import { MAP_RELOADS_MAX, runRouted } from './routing.js';
import type { Route } from './routing.js';
import type { RoutableSweepShard } from './routing.js';
import { ShardSweeps } from './run-sweeps.js';

const HOLD_TIMEOUT_MS = 600_000;
const STALL_TIMEOUT_MS = 10_000;
const MAP = evenSlotMap(2);
const SOURCE = anAccountIdOn(MAP, 0, 'SRC');
const NEAR = anAccountIdOn(MAP, 0, 'NEAR');
const FAR = anAccountIdOn(MAP, 1, 'FAR');

/** A shard in memory with the pages of the tables, an epoch of its own, and a count of what is read. */
class PagedShard implements RoutableSweepShard {
  readonly id: number;
  readonly memory: MemoryShardStore;
  readonly nowMs: () => number;
  epoch = 1n;
  isAway = false;
  outboxAgeMs = 0;
  /** Rows read beyond the list of open work itself. */
  rowsRead = 0;

  constructor(id: number, nowMs: () => number) {
    this.id = id;
    this.nowMs = nowMs;
    this.memory = new MemoryShardStore(id, nowMs);
  }

  get store(): RoutableStore {
    const at = (epoch: bigint, fence?: Fence): ShardStore => ({
      shard: this.id,
      transact: async (load, decide) => {
        if (this.isAway) throw new StoreError('environment', `shard ${this.id} is away`);
        if (epoch !== this.epoch) throw new StoreError('epoch', `shard ${this.id} is elsewhere`);
        return this.memory.at(this.memory.epoch, fence).transact(load, decide);
      },
    });
    return { ...at(this.epoch), at };
  }

  async raiseFence(fence: Fence): Promise<void> {
    this.memory.raiseFence(fence);
  }

  async moveListEnd(): Promise<boolean> {
    return false;
  }

  get reads(): SweepReads {
    return {
      expiredHolds: async (after, limit) => this.#expiredHolds(after).slice(0, limit),
      openTransfers: async (olderThanMs, after, limit) =>
        this.#openTransfers(olderThanMs, after, limit),
      decisions: async (ids) => {
        this.rowsRead += ids.length;
        const { decisions } = this.memory.rows;
        return new Map([...decisions].filter(([id]) => ids.includes(id)));
      },
      events: async (refs) => {
        if (this.isAway) throw new StoreError('environment', `shard ${this.id} is away`);
        this.rowsRead += refs.length;
        return refs.flatMap(({ transferId, step }) => this.#event(transferId, step));
      },
      outboxAgeMs: async () => this.outboxAgeMs,
    };
  }

  #expiredHolds(after: HoldCursor | undefined) {
    const key = (hold: HoldCursor): string => `${hold.expiresAt} ${hold.transferId}`;
    return [...this.memory.rows.holds.values()]
      .filter((hold) => Date.parse(hold.expiresAt) < this.nowMs())
      .filter((hold) => !after || key(hold) > key(after))
      .sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }

  #openTransfers(
    olderThanMs: number,
    after: OpenTransferCursor | undefined,
    limit: number,
  ): OpenTransferPage {
    const transfers = [...this.memory.rows.openTransfers]
      .sort()
      .filter((id) => !after || id > after.transferId)
      .map((id) => this.memory.rows.transfers.get(id)!)
      .map((row) => ({
        transferId: row.id,
        slot: row.slot,
        state: row.state as 'requested' | 'held',
        since: row.requestedAt,
        ageMs: this.nowMs() - Date.parse(row.requestedAt),
      }))
      .filter((row) => row.ageMs > olderThanMs);
    const page = transfers.slice(0, limit);
    return { transfers: page, next: page.length < limit ? undefined : page.at(-1) };
  }

  #event(transferId: TransferId, step: number): EventRow[] {
    const row = this.memory.rows.events.get(`${transferId}/${step}`);
    return row ? [row] : [];
  }
}

/** The newest map is the highest epoch of all shards, as the placements say when they are read. */
class ReadMaps implements SlotMaps {
  reloads = 0;
  /** Of maps that are not the usual one, by their epochs. */
  readonly others = new Map<bigint, SlotMap['ranges']>();
  readonly #shards: readonly PagedShard[];
  #epoch = 1n;

  constructor(shards: readonly PagedShard[]) {
    this.#shards = shards;
  }

  current(): SlotMap {
    return { epoch: this.#epoch, ranges: this.others.get(this.#epoch) ?? MAP.ranges };
  }

  async reload(): Promise<SlotMap> {
    this.reloads += 1;
    for (const { epoch } of this.#shards) if (epoch > this.#epoch) this.#epoch = epoch;
    return this.current();
  }
}

/** Everything is on the other shard. */
const ELSEWHERE: SlotMap['ranges'] = [{ fromSlot: 0, shard: 1 }];
const clock = { ms: 0 };
let source: PagedShard;
let far: PagedShard;
let maps: ReadMaps;
let sweeps: ShardSweeps;
let repairs: Repair[];
let troubles: Trouble[];
let rest: Omit<SweepContext, keyof Route>;

beforeEach(async () => {
  clock.ms = Date.parse('2026-01-31T10:00:00Z');
  const now = () => clock.ms;
  source = new PagedShard(0, now);
  far = new PagedShard(1, now);
  maps = new ReadMaps([source, far]);
  sweeps = new ShardSweeps();
  repairs = [];
  troubles = [];
  const backoff = { firstMs: STALL_TIMEOUT_MS, maxMs: 3_600_000, itemsMax: 100_000, now };
  rest = {
    holdTimeoutMs: HOLD_TIMEOUT_MS,
    stallTimeoutMs: STALL_TIMEOUT_MS,
    dryRun: false,
    author: BY_ITSELF,
    itemBackoff: new ItemBackoff(backoff),
    shardBackoff: new ItemBackoff({ ...backoff, firstMs: 1000, maxMs: 1000 }),
    listener: {
      repaired: (repair) => repairs.push(repair),
      trouble: (trouble) => troubles.push(trouble),
    },
    mayGoOn: () => true,
  };
  await openAccounts(source.memory, [anOpening(SOURCE), anOpening(NEAR)]);
  await openAccounts(far.memory, [anOpening(FAR)]);
  await fundAccounts(source.memory, [aDeposit(SOURCE, eur(1_000_000_00), 1_000_000)]);
});

let n = 0;

async function requested(count: number, destination = FAR): Promise<TransferId[]> {
  const requests = Array.from({ length: count }, () => {
    n += 1;
    const request = aTransferRequest({ n, source: SOURCE, destination, amount: eur(1) });
    return { ...request, traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` };
  });
  await requestTransfers(source.memory, requests);
  return requests.map(({ transferId }) => transferId);
}

async function held(count: number, destination = FAR): Promise<TransferId[]> {
  const ids = await requested(count, destination);
  await hold(ids);
  return ids;
}

async function hold(ids: readonly TransferId[]): Promise<void> {
  const events = ids.map((id) => stored(source, id, 10));
  await applySteps(source.memory, events, { holdTimeoutMs: HOLD_TIMEOUT_MS, actor: 'saga' });
}

function stored(shard: PagedShard, id: TransferId, step: number): Envelope {
  return readEnvelope(shard.memory.rows.events.get(`${id}/${step}`)!.envelope);
}

/** One pass as the loop of a shard makes it; `batches` bounds the batches of all its sweeps. */
async function pass(batches = Infinity): Promise<void> {
  let left = batches;
  await runRouted({ slotMaps: maps, shards: [source, far], source: 0 }, (route) =>
    sweeps.run({ ...rest, ...route, mayGoOn: () => (left -= 1) >= 0 }),
  );
}

function stateOf(id: TransferId | undefined): string | undefined {
  return source.memory.rows.transfers.get(id!)?.state;
}

describe('a pass that was routed with an old map', () => {
  it.each([
    ['the destination', () => far],
    ['the source', () => source],
  ])('reads the map again where %s says so, and ends the hold', async (_, shard) => {
    const [id] = await held(1);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    shard().epoch = 2n;
    const other = shard() === far ? source : far;
    const follow = maps.reload.bind(maps);
    // The change reaches the other shard before the map is read.
    maps.reload = () => {
      other.epoch = 2n;
      return follow();
    };
    await pass();
    expect(maps.reloads).toBe(1);
    expect(stateOf(id)).toBe('cancelled');
    expect(troubles).toEqual([]);
  });

  it('fails after a bounded number of new maps, and the hold stays until one fits', async () => {
    const [id] = await held(1);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    source.epoch = 2n;
    await expect(pass()).rejects.toMatchObject({ kind: 'epoch' });
    expect(maps.reloads).toBe(MAP_RELOADS_MAX + 1);
    expect(stateOf(id)).toBe('held');
    far.epoch = 2n;
    await pass();
    expect(stateOf(id)).toBe('cancelled');
  });

  it('drives on what has come with a slot, although nothing else tells of the move', async () => {
    const [id] = await held(1, NEAR);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    maps.others.set(1n, ELSEWHERE);
    source.epoch = 2n;
    await pass();
    expect([stateOf(id), maps.reloads]).toEqual(['cancelled', 1]);
  });

  it('leaves alone what a slot has left behind, after a look at the map', async () => {
    const [id] = await held(1, NEAR);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    maps.others.set(1n, ELSEWHERE);
    await pass();
    expect([stateOf(id), maps.reloads, troubles]).toEqual(['held', 1, []]);
  });

  it('stays done where the map cannot be read then, or the newer one does not fit yet', async () => {
    const [id] = await held(1, NEAR);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    maps.others.set(1n, ELSEWHERE);
    const follow = maps.reload.bind(maps);
    maps.reload = () => Promise.reject(new StoreError('environment', 'no shard answers'));
    await pass();
    maps.reload = follow;
    far.epoch = 2n;
    await pass();
    expect(stateOf(id)).toBe('held');
    source.epoch = 2n;
    await pass();
    expect(stateOf(id)).toBe('cancelled');
  });

  it('goes on with the other destinations meanwhile', async () => {
    const [away] = await held(1, FAR);
    const [near] = await held(1, NEAR);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    far.epoch = 0n;
    await expect(pass()).rejects.toMatchObject({ kind: 'epoch' });
    expect([stateOf(away), stateOf(near)]).toEqual(['held', 'cancelled']);
  });
});

describe('expired holds behind many whose destination is away', () => {
  let blocked: TransferId[];
  let behind: TransferId[];

  beforeEach(async () => {
    blocked = await held(EXPIRED_HOLDS_BATCH_MAX, FAR);
    clock.ms += 1;
    behind = await held(1, NEAR);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    far.isAway = true;
  });

  it('are reached by the next pass, which goes on where the last one ended', async () => {
    await pass(1);
    expect(sweeps.hasMore).toBe(true);
    expect(stateOf(behind[0])).toBe('held');
    await pass(1);
    expect(stateOf(behind[0])).toBe('cancelled');
    expect(sweeps.hasMore).toBe(false);
  });

  it('and then the pass begins at the head again, where the shard may be back', async () => {
    await pass(1);
    await pass(1);
    far.isAway = false;
    clock.ms += 1000;
    await pass(1);
    expect(blocked.map(stateOf).every((state) => state === 'cancelled')).toBe(true);
  });

  it('are reached although the batch before them fails on its own shard', async () => {
    source.isAway = true;
    await expect(pass(1)).rejects.toThrow();
    source.isAway = false;
    await pass(1);
    expect(stateOf(behind[0])).toBe('cancelled');
  });
});

describe('the sweep of transfers that stand still', () => {
  it('reads nothing of what was sent again a moment ago', async () => {
    await requested(3);
    await held(3);
    clock.ms += STALL_TIMEOUT_MS + 1;
    await pass();
    expect(repairs).toHaveLength(6);
    source.rowsRead = far.rowsRead = 0;
    await pass();
    expect(repairs).toHaveLength(6);
    expect([source.rowsRead, far.rowsRead]).toEqual([0, 0]);
  });

  it('reads nothing of requested ones that may still lie in the outbox', async () => {
    await requested(3);
    clock.ms += STALL_TIMEOUT_MS + 1;
    source.outboxAgeMs = STALL_TIMEOUT_MS + 2;
    await pass();
    expect([repairs.length, source.rowsRead]).toEqual([0, 0]);
  });

  it('reads held ones that may still lie in the outbox once in a stall time-out', async () => {
    await held(3);
    source.outboxAgeMs = OUTBOX_PATIENCE_STALLS * STALL_TIMEOUT_MS;
    clock.ms += STALL_TIMEOUT_MS + 1;
    await pass();
    const rowsRead = source.rowsRead;
    await pass();
    expect([repairs.length, source.rowsRead]).toEqual([0, rowsRead]);
    clock.ms += STALL_TIMEOUT_MS;
    await pass();
    expect(source.rowsRead).toBe(2 * rowsRead);
  });

  it('reads young holds of old requests again only when they are old themselves', async () => {
    const ids = await requested(2);
    clock.ms += STALL_TIMEOUT_MS + 1;
    await hold(ids);
    await pass();
    const rowsRead = source.rowsRead;
    clock.ms += STALL_TIMEOUT_MS - 1;
    await pass();
    expect([repairs.length, source.rowsRead]).toEqual([0, rowsRead]);
    clock.ms += 2;
    await pass();
    expect(repairs.map(({ kind }) => kind)).toEqual(['send_again', 'send_again']);
  });

  it('sends a bounded number of events in a pass and the rest in the next ones', async () => {
    const ids = [...(await requested(20)), ...(await requested(RESENDS_PER_PASS_MAX + 100))];
    // Some of the first page are not due, so that the bound falls into the middle of the second.
    for (const id of ids.slice(0, 20)) rest.itemBackoff.attempted(id);
    clock.ms += STALL_TIMEOUT_MS - 1;
    await pass();
    expect(repairs).toEqual([]);
    clock.ms += 2;
    for (const id of ids.slice(0, 20)) rest.itemBackoff.attempted(id);
    await pass();
    expect(repairs).toHaveLength(RESENDS_PER_PASS_MAX);
    expect(sweeps.hasMore).toBe(true);
    await pass();
    const sent = repairs.map(({ transferId }) => transferId);
    expect(new Set(sent)).toEqual(new Set(ids.slice(20)));
    expect(sent).toHaveLength(RESENDS_PER_PASS_MAX + 100);
  });

  it('always gets a whole page on, however soon its events are due again', () => {
    expect(RESENDS_PER_PASS_MAX).toBeGreaterThanOrEqual(OPEN_TRANSFERS_PAGE_MAX);
  });

  it('ends requested ones in time although they were sent again a moment ago', async () => {
    const [id] = await requested(1);
    clock.ms += 2 * HOLD_TIMEOUT_MS;
    await pass();
    expect(repairs.map(({ kind }) => kind)).toEqual(['send_again']);
    clock.ms += 1;
    await pass();
    expect(stateOf(id)).toBe('rejected');
  });
});

describe('a repair', () => {
  it('names the trace of the request that began the transfer', async () => {
    await held(1);
    await requested(1);
    clock.ms += 2 * HOLD_TIMEOUT_MS + 1;
    await pass();
    expect(repairs.map(({ kind, traceId }) => [kind, traceId])).toEqual([
      ['void', 'ab'.repeat(16)],
      ['release', 'ab'.repeat(16)],
      ['expire', 'ab'.repeat(16)],
    ]);
  });
});

describe('a pass under a lease that has a newer holder', () => {
  const fence = { shard: 0, lease: 'reconciler', token: 1n };

  function passUnder(token: bigint): Promise<void> {
    const routing = { slotMaps: maps, shards: [source, far], source: 0 };
    return runRouted({ ...routing, fence: { ...fence, token } }, (route) =>
      sweeps.run({ ...rest, ...route, mayGoOn: () => true }),
    );
  }

  it.each([
    ['the source', NEAR],
    ['a destination', FAR],
  ])('ends at the word of %s and has written nothing', async (_, to) => {
    const [id] = await held(1, to);
    await requested(1, NEAR);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    source.memory.rows.leases.set('reconciler', 2n);
    await far.raiseFence({ ...fence, token: 2n });
    await expect(passUnder(1n)).rejects.toMatchObject({ kind: 'fenced' });
    expect(stateOf(id)).toBe('held');
    expect(repairs).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it('makes its own holding known where it writes', async () => {
    const [id] = await held(1, FAR);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    source.memory.rows.leases.set('reconciler', 7n);
    await passUnder(7n);
    expect(stateOf(id)).toBe('cancelled');
    expect(far.memory.rows.fences.get('reconciler:0')).toBe(7n);
  });
});
