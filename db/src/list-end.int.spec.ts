import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { composeTransferId, slotOfAccount } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { aPayerAndPayee, hex } from '@surety/testing/payer-and-payee';
import type { Goal, PayerAndPayee } from '@surety/testing/payer-and-payee';
import { readUuid } from './connection/cells.js';
import { readRows } from './connection/session.js';
import type { Shard } from './shard-pools.js';
import { raiseFence } from './statements/leases/check-fence.js';
import { openTransferMismatches } from './statements/check/open-transfer-mismatches.js';
import { openTransferTotals } from './statements/operator/open-transfer-totals.js';
import { listOpenTransfers } from './statements/reconciler/list-open-transfers.js';
import { EVERYTHING_IS_LISTED, moveListEnd } from './statements/reconciler/move-list-end.js';
import { LISTED_BELOW } from './statements/rows/open-transfers.js';
import { LOCK_PLACEMENT } from './statements/transact/lock-placement.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const SOME = { rows: 3, keepMs: MINUTE_MS };

let given: PayerAndPayee;
let shard: Shard;
let made = 0;

beforeAll(async () => {
  given = await aPayerAndPayee();
  shard = given.source;
});

afterAll(async () => {
  await given?.shards.drop();
});

/** Every shard begins like this. */
beforeEach(async () => {
  for (const id of await openIds()) await given.advance(id, 'committed');
  await shard.send([
    'DELETE FROM open_transfers',
    `UPDATE placement SET listed_below = ${hex(EVERYTHING_IS_LISTED)}`,
  ]);
});

/** A transfer whose id was made so long ago. */
function aged(ageMs: number, goal: Goal): Promise<TransferId> {
  made += 1;
  const random = Uint8Array.of(0, 0, 0, 0, 0, 0, made >> 8, made & 255);
  const id = composeTransferId(Date.now() - ageMs, slotOfAccount(given.payer), random);
  return given.transferIn(goal, made, id);
}

async function openIds(): Promise<TransferId[]> {
  const found = await listOpenTransfers(shard, 0, undefined, 1_000);
  return found.transfers.map(({ transferId }) => transferId).sort();
}

function listedIds(): Promise<TransferId[]> {
  const sql = 'SELECT transfer_id FROM open_transfers ORDER BY transfer_id';
  return readRows(shard, sql, ([id]) => readUuid(id));
}

async function moveAll(options = SOME): Promise<void> {
  while (await moveListEnd(shard, options));
}

async function expectSound(): Promise<void> {
  expect(await openTransferMismatches(shard)).toEqual([]);
}

describe('the list of open transfers', () => {
  it('holds every one of them until its end is moved for the first time', async () => {
    const ids = [await aged(HOUR_MS, 'requested'), await aged(0, 'held')].sort();
    expect(await listedIds()).toEqual(ids);
    expect(await openIds()).toEqual(ids);
    await expectSound();
  });

  it('gives up the young ones then, which are found all the same', async () => {
    const old = await aged(HOUR_MS, 'requested');
    const ahead = await aged(-HOUR_MS, 'held');
    const young = [await aged(0, 'requested'), await aged(0, 'held'), ahead];
    await aged(0, 'committed');
    await moveAll();
    expect(await listedIds()).toEqual([old]);
    expect(await openIds()).toEqual([old, ...young].sort());
    const { byState, oldest } = await openTransferTotals(shard);
    expect(byState).toEqual({ requested: 2, held: 2 });
    expect(oldest).toBeDefined();
    await expectSound();
  });

  it('takes what is still open where its end passes, and nothing that has ended', async () => {
    await moveAll();
    const keepMs = -MINUTE_MS;
    const open = [await aged(-HOUR_MS, 'requested')];
    for (const goal of ['requested', 'committed', 'held', 'credited', 'rejected', 'cancelled']) {
      const id = await aged(0, goal as Goal);
      if (['requested', 'held', 'credited'].includes(goal)) open.push(id);
    }
    expect(await listedIds()).toEqual([]);
    let listed = await listedIds();
    // Those that other specs have ended lie before them.
    while (listed.length === 0) {
      expect(await moveListEnd(shard, { rows: 3, keepMs })).toBe(true);
      listed = await listedIds();
    }
    expect(open.sort()).toEqual(expect.arrayContaining(listed));
    expect(await openIds()).toEqual(open.sort());
    await expectSound();
    await moveAll({ rows: 1, keepMs });
    // More than it passes over must lie behind the end: the last one before the minute stays there.
    expect(open.length - (await listedIds()).length).toBeLessThanOrEqual(2);
    for (const id of open) await given.advance(id, 'committed');
    expect(await listedIds()).toEqual([]);
    await expectSound();
  });

  it('stays where it is while little lies behind its end', async () => {
    await moveAll();
    const end = `SELECT HEX(${LISTED_BELOW})`;
    const before = await readRows(shard, end, ([cell]) => cell);
    await aged(0, 'requested');
    expect(await moveListEnd(shard, { rows: 1_000, keepMs: MINUTE_MS })).toBe(false);
    expect(await readRows(shard, end, ([cell]) => cell)).toEqual(before);
  });

  it('moves on over all where nothing new has come, and then stays', async () => {
    await moveAll();
    const open = await aged(0, 'held');
    const newest = await aged(-2 * HOUR_MS, 'requested');
    const options = { rows: 1_000, keepMs: -3 * HOUR_MS };
    const end = `SELECT HEX(${LISTED_BELOW})`;
    expect(await moveListEnd(shard, options)).toBe(true);
    expect(await listedIds()).toEqual([open]);
    expect(await openIds()).toEqual([open, newest].sort());
    const moved = await readRows(shard, end, ([cell]) => cell);
    expect(await moveListEnd(shard, options)).toBe(false);
    expect(await readRows(shard, end, ([cell]) => cell)).toEqual(moved);
    await expectSound();
  });

  it('takes a transfer whose id was made long before its transaction, until its end', async () => {
    await moveAll();
    const late = await aged(HOUR_MS, 'requested');
    expect(await listedIds()).toEqual([late]);
    expect(await openIds()).toEqual([late]);
    await given.advance(late, 'held');
    await expectSound();
    await given.advance(late, 'committed');
    expect(await listedIds()).toEqual([]);
    expect(await openIds()).toEqual([]);
  });

  it('is read page by page across its end', async () => {
    await moveAll();
    const ids = [await aged(HOUR_MS, 'requested'), await aged(0, 'held')];
    ids.push(await aged(HOUR_MS, 'held'), await aged(0, 'requested'));
    const found: TransferId[] = [];
    let page = await listOpenTransfers(shard, 0, undefined, 1);
    for (;;) {
      found.push(...page.transfers.map(({ transferId }) => transferId));
      if (!page.next) break;
      page = await listOpenTransfers(shard, 0, page.next, 1);
    }
    expect(found).toHaveLength(ids.length);
    expect([...found].sort()).toEqual(ids.sort());
  });

  it('is exact while transfers begin and end around its end', async () => {
    await moveAll();
    const ids: TransferId[] = [];
    let isDone = false;
    const moving = (async () => {
      let moves = 0;
      while (!isDone) if (await moveListEnd(shard, { rows: 2, keepMs: 0 })) moves += 1;
      return moves;
    })();
    for (let round = 0; round < 8; round += 1) {
      const goals: Goal[] = ['requested', 'held', 'credited', 'committed', 'rejected'];
      const made = await Promise.all(goals.map((goal) => aged(0, goal)));
      ids.push(...made.slice(0, 3));
      await expectSound();
      const ended = ids.splice(0, 2);
      await Promise.all(ended.map((id) => given.advance(id, 'committed')));
    }
    isDone = true;
    expect(await moving).toBeGreaterThan(1);
    expect(await openIds()).toEqual([...ids].sort());
    await expectSound();
  });

  it('moves on over a crowd whose ids are ahead of their time', async () => {
    await moveAll();
    const ids: TransferId[] = [];
    for (let n = 0; n < 25; n += 1) ids.push(await aged(-3 * HOUR_MS, 'requested'));
    await moveAll({ rows: 2, keepMs: MINUTE_MS });
    const behind = 20;
    expect((await listedIds()).length).toBeGreaterThanOrEqual(ids.length - behind);
    expect(await openIds()).toEqual(ids.sort());
    await expectSound();
  });

  it('waits a second for a writer that hangs, and moves another time', async () => {
    await moveAll();
    const id = await aged(HOUR_MS / 2, 'requested');
    await shard.send([
      'DELETE FROM open_transfers',
      `UPDATE placement SET listed_below = ${hex(id)}`,
    ]);
    const options = { rows: 1, keepMs: -4 * HOUR_MS };
    await shard.pool.use(async (link) => {
      await link.send(['START TRANSACTION', LOCK_PLACEMENT]);
      expect(await moveListEnd(shard, options)).toBe(false);
      await link.send(['ROLLBACK']);
    });
    expect(await listedIds()).toEqual([]);
    expect(await moveListEnd(shard, options)).toBe(true);
    expect(await listedIds()).toEqual([id]);
    await expectSound();
  });

  it('is not moved by a leader whose lease has a newer one', async () => {
    const fence = { shard: 1, lease: 'reconciler', token: 1n };
    await raiseFence(shard, { ...fence, token: 2n });
    await aged(0, 'requested');
    const listed = await listedIds();
    await expect(moveListEnd(shard, SOME, fence)).rejects.toMatchObject({ kind: 'fenced' });
    expect(await listedIds()).toEqual(listed);
    expect(await moveListEnd(shard, SOME, { ...fence, token: 2n })).toBe(true);
    expect(await listedIds()).toEqual([]);
    await expectSound();
  });

  it('moves on over what a process of an earlier release has listed', async () => {
    await moveAll();
    const id = await aged(HOUR_MS / 2, 'requested');
    await shard.send([`UPDATE placement SET listed_below = ${hex(id)}`]);
    expect(await moveListEnd(shard, { rows: 1, keepMs: -4 * HOUR_MS })).toBe(true);
    expect(await listedIds()).toEqual([id]);
  });

  it('moves on once where two move it at the same time', async () => {
    await moveAll();
    const ids = await Promise.all([1, 2, 3, 4].map(() => aged(0, 'requested')));
    const options = { rows: 2, keepMs: -MINUTE_MS };
    await Promise.all([1, 2, 3].map(() => moveListEnd(shard, options)));
    expect(await openIds()).toEqual([...ids].sort());
    await expectSound();
  });
});
