import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BalanceRow } from '@surety/db';
import { CHANNELS, REAL_CLOCK, createLogger, createMetrics } from '@surety/runtime';
import type { Clock } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import { ProjectionFold } from './projected-rows.js';
import type { EndRow } from './projected-rows.js';
import { ShardProjection } from './shard-projection.js';

const log = createLogger({ process: 'projector', instance: 'spec', level: 'error' });
log.silent = true;

function balance(accountId: string, version = 1n): BalanceRow {
  const updatedAt = '2026-01-31T10:15:30.000000Z';
  return { accountId, slot: 1, balance: 5n, held: 0n, version, updatedAt, currency: 'EUR' };
}

function status(transferId: string): EndRow {
  const updatedAt = '2026-01-31T10:15:30.000000Z';
  return { transferId, slot: 1, status: 'committed', reason: null, version: 40, updatedAt };
}

function rowsOf(...rows: readonly (BalanceRow | EndRow)[]): ProjectionFold {
  const fold = new ProjectionFold();
  for (const row of rows) {
    if ('accountId' in row) fold.putBalance(row);
    else fold.putStatus(row);
  }
  return fold;
}

/** Rests last a thousandth of their time. */
const HASTE: Clock = {
  ...REAL_CLOCK,
  nowMs: () => REAL_CLOCK.nowMs() * 1_000,
  after: (ms, run) => REAL_CLOCK.after(ms / 1_000, run),
};

class Scene {
  readonly writes: string[][] = [];
  readonly copied: string[][] = [];
  readonly rings: (string | undefined)[] = [];
  failWith: (keys: readonly string[]) => Error | undefined = () => undefined;
  isRedisAway = false;
  /** Ends the calls of a Redis that hangs; while there is none it does not. */
  hanging: ((failure?: Error) => void)[] | undefined;
  readonly projection: ShardProjection;

  constructor(clock: Clock = HASTE) {
    this.projection = new ShardProjection({
      store: {
        shard: 0,
        upsert: ({ balances, statuses }) =>
          this.write([
            ...balances.map((row) => row.accountId),
            ...statuses.map((row) => row.transferId),
          ]),
      },
      copies: {
        writeEnds: (rows) => this.copy(rows.map((row) => row.transferId)),
        writeBalances: (rows) =>
          this.copy(rows.map((row) => `${row.accountId} ${row.version.toString()}`)),
      },
      doorbell: {
        ring: (channel, payload) => {
          if (channel === CHANNELS.ended) this.rings.push(payload);
        },
        subscribe: async () => () => undefined,
        close: async () => undefined,
      },
      clock,
      metrics: createMetrics('projector'),
      log,
    });
  }

  /** What hangs is done, and what comes. */
  goOn(): void {
    const ended = this.hanging ?? [];
    this.hanging = undefined;
    ended.forEach((end) => end());
  }

  private async copy(copies: readonly string[]): Promise<number> {
    if (this.isRedisAway) throw new Error('redis is away');
    const { hanging } = this;
    if (hanging) {
      await new Promise<void>((resolve, reject) => {
        hanging.push((failure) => (failure ? reject(failure) : resolve()));
      });
    }
    if (copies.length > 0) this.copied.push([...copies]);
    return copies.length;
  }

  private async write(keys: readonly string[]): Promise<void> {
    const failure = this.failWith(keys);
    if (failure) throw failure;
    this.writes.push([...keys]);
  }
}

async function rung({ rings }: Scene, expected: readonly string[]): Promise<void> {
  while (rings.length < expected.length) await new Promise((resolve) => setImmediate(resolve));
  expect(rings).toEqual(expected);
}

describe('the projections of a shard', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  it('are written, copied, and told to those who wait for an end', async () => {
    const rows = rowsOf(balance('b'), balance('a'), status('t2'), status('t1'));
    expect(await scene.projection.submit(rows, 0)).toBe(true);
    expect(scene.writes).toEqual([['b', 'a', 't2', 't1']]);
    await rung(scene, ['t2,t1']);
    expect(scene.copied.toSorted()).toEqual([
      ['b 1', 'a 1'],
      ['t2', 't1'],
    ]);
  });

  it('gather: one write takes the newest row of each key', async () => {
    const parts = [balance('a', 2n), balance('a', 3n), balance('a', 1n)].map((row) => rowsOf(row));
    await Promise.all(parts.map((rows) => scene.projection.submit(rows, 0)));
    expect(scene.writes).toEqual([['a']]);
    expect(scene.copied).toEqual([['a 3']]);
  });

  it('gather from every part, whichever is the largest', async () => {
    const parts = [rowsOf(balance('a', 2n)), rowsOf(balance('a', 1n), balance('b'), status('t1'))];
    await Promise.all(
      [...parts, rowsOf(status('t2'))].map((rows) => scene.projection.submit(rows, 0)),
    );
    expect(scene.writes.map((keys) => keys.sort())).toEqual([['a', 'b', 't1', 't2']]);
    expect(scene.copied.map((copies) => copies.sort())).toContainEqual(['a 2', 'b 1']);
  });

  it('are not done while the shard is away; ends are told when they come, and no more', async () => {
    scene.failWith = () => new StoreError('environment', 'the shard is away');
    const rows = () => rowsOf(balance('a'), status('t1'));
    for (const attempt of [0, 1, 2]) {
      expect(await scene.projection.submit(rows(), attempt)).toBe(false);
    }
    const later = scene.projection.submit(rowsOf(status('t2')), 0);
    scene.failWith = () => undefined;
    expect(await scene.projection.submit(rows(), 3)).toBe(true);
    expect(await later).toBe(true);
    await rung(scene, ['t1', 't2']);
    expect(scene.copied.toSorted()).toEqual([['a 1'], ['t1'], ['t2']]);
  });

  it('tell an end at once, while the tables rest', async () => {
    scene = new Scene(REAL_CLOCK);
    expect(await scene.projection.submit(rowsOf(status('t1')), 0)).toBe(true);
    const written = scene.projection.submit(rowsOf(balance('a'), status('t2')), 0);
    while (scene.rings.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(scene.copied).toEqual([['t1'], ['t2']]);
    expect(scene.writes).toEqual([['t1']]);
    await scene.projection.stop();
    expect(await written).toBe(true);
    expect(scene.writes).toEqual([['t1'], ['a', 't2']]);
  });

  it('do not rest when they are told to hurry', async () => {
    scene = new Scene({ ...REAL_CLOCK, after: () => () => undefined });
    expect(await scene.projection.submit(rowsOf(status('t1')), 0)).toBe(true);
    const written = scene.projection.submit(rowsOf(balance('a')), 0);
    scene.projection.hurry();
    expect(await written).toBe(true);
    expect(scene.writes).toEqual([['t1'], ['a']]);
  });

  it('are written in transactions of at most 1,000 rows', async () => {
    const balances = Array.from({ length: 1_500 }, (_, n) => balance(`a${n}`));
    const ends = Array.from({ length: 1_200 }, (_, n) => status(`t${n}`));
    expect(await scene.projection.submit(rowsOf(...balances, ...ends), 0)).toBe(true);
    expect(scene.writes.map((keys) => keys.length)).toEqual([1_000, 1_000, 700]);
    expect(new Set(scene.writes.flat()).size).toBe(2_700);
  });

  it('take nothing more after a stop', async () => {
    await scene.projection.stop();
    expect(await scene.projection.submit(rowsOf(status('t1')), 0)).toBe(false);
    expect([scene.writes, scene.rings]).toEqual([[], []]);
  });

  it('are done without Redis: those who wait are told to look at the tables', async () => {
    scene.isRedisAway = true;
    expect(await scene.projection.submit(rowsOf(status('t1')), 0)).toBe(true);
    await rung(scene, ['t1']);
  });

  it('are in the tables while Redis hangs; each copy is the newest once it goes on', async () => {
    scene.hanging = [];
    for (const version of [1n, 2n, 3n]) {
      expect(await scene.projection.submit(rowsOf(balance('a', version)), 0)).toBe(true);
    }
    expect(await scene.projection.submit(rowsOf(balance('b')), 0)).toBe(true);
    expect([scene.writes, scene.copied]).toEqual([[['a'], ['a'], ['a'], ['b']], []]);
    scene.goOn();
    await scene.projection.stop();
    expect(scene.copied).toEqual([['a 1'], ['a 3', 'b 1']]);
  });

  it('of a Redis that failed tell ends without waiting for it to fail again', async () => {
    scene.hanging = [];
    expect(await scene.projection.submit(rowsOf(status('t1')), 0)).toBe(true);
    while (scene.hanging.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(scene.rings).toEqual([]);
    scene.hanging.splice(0).forEach((end) => end(new Error('Command timed out')));
    await rung(scene, ['t1']);
    for (const id of ['t2', 't3']) await scene.projection.submit(rowsOf(status(id)), 0);
    await rung(scene, ['t1', 't2', 't3']);
    scene.goOn();
    await new Promise((resolve) => setImmediate(resolve));
    await scene.projection.submit(rowsOf(status('t4')), 0);
    await rung(scene, ['t1', 't2', 't3', 't4']);
    expect(scene.copied).toEqual([['t2'], ['t4']]);
  });

  it('pass over a row that no table can take', async () => {
    scene.failWith = (keys) =>
      keys.includes('bad') ? new StoreError('data', 'too long') : undefined;
    const rows = rowsOf(balance('a'), balance('bad'), balance('c'), balance('d'));
    expect(await scene.projection.submit(rows, 0)).toBe(true);
    expect(scene.writes.flat().sort()).toEqual(['a', 'c', 'd']);
  });

  it('pass over a row that no table can take, and keep those of the other table', async () => {
    scene.failWith = (keys) =>
      keys.includes('bad') ? new StoreError('data', 'too long') : undefined;
    const rows = rowsOf(balance('a'), status('t1'), status('bad'), status('t3'));
    expect(await scene.projection.submit(rows, 0)).toBe(true);
    expect(scene.writes.flat().sort()).toEqual(['a', 't1', 't3']);
  });

  it('tell of at most 100 ends in one ring', async () => {
    const ended = Array.from({ length: 250 }, (_, n) => status(`t${n}`));
    await scene.projection.submit(rowsOf(...ended), 0);
    expect(scene.rings.map((payload) => payload?.split(',').length)).toEqual([100, 100, 50]);
  });
});
