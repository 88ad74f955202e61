import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NO_CHANGES } from '@surety/saga';
import type { AuditEntry, Changes, Fence } from '@surety/saga';
import { aTransferId, anAccount } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import type { Shard } from './shard-pools.js';
import { acquireLease } from './statements/leases/acquire-lease.js';
import { raiseFence } from './statements/leases/check-fence.js';

const LEASE = 'reconciler';
const LONG_MS = 600_000;

let shards: TestShards;
let own: Shard;
let other: Shard;
let accounts = 0;

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [own, other] = shards.pools.shards as [Shard, Shard];
});

afterAll(async () => {
  await shards?.drop();
});

beforeEach(async () => {
  await own.send(['DELETE FROM leases', 'DELETE FROM lease_fences']);
  await other.send(['DELETE FROM leases', 'DELETE FROM lease_fences']);
});

/** A holding of the first shard's lease that nobody has taken over yet. */
async function holdingOf(holder: string): Promise<Fence> {
  await own.send([`UPDATE leases SET expires_at = NOW(6) - INTERVAL 1 SECOND`]);
  const held = await acquireLease(own, { name: LEASE, holder, ttlMs: LONG_MS });
  return { shard: own.id, lease: LEASE, token: held!.token };
}

function line(id: string): AuditEntry {
  const { slot } = anAccount(id);
  const states = { before: { state: null }, after: { state: 'open' } };
  return { actor: 'spec', action: 'spec.open', accountId: id, slot, reason: 'why not', ...states };
}

/** One account and its line in audit_log, in the name of a holding. */
async function writeAs(shard: Shard, fence?: Fence): Promise<string> {
  accounts += 1;
  const id = `written-${accounts}`;
  const { epoch } = shards.pools.slotMaps.current();
  const changes: Changes = {
    ...NO_CHANGES,
    accountsInserted: [{ ...anAccount(id), metadata: null }],
    audit: [line(id)],
  };
  await shard.store.at(epoch, fence).transact({}, () => ({ changes, result: undefined }));
  return id;
}

async function cell(shard: Shard, sql: string): Promise<string> {
  const [result] = await shard.send([sql]);
  return String(result?.rows[0]?.[0]);
}

const rowsOf = (shard: Shard): Promise<string> =>
  cell(shard, 'SELECT CONCAT((SELECT COUNT(*) FROM accounts), (SELECT COUNT(*) FROM audit_log))');

describe('a line of audit_log', () => {
  it('is of one transaction with what it tells of', async () => {
    const id = await writeAs(own);
    const sql =
      'SELECT CONCAT_WS("|", actor, action, COALESCE(transfer_id, "-"), account_id, slot, reason, ' +
      `state_before, state_after) FROM audit_log WHERE account_id = '${id}'`;
    expect(await cell(own, sql)).toBe(
      `spec|spec.open|-|${id}|${anAccount(id).slot}|why not|{"state":null}|{"state":"open"}`,
    );
    const before = await rowsOf(own);
    const again: Changes = {
      ...NO_CHANGES,
      accountsInserted: [{ ...anAccount(id), metadata: null }],
      audit: [line(id)],
    };
    const attempt = own.store.transact({}, () => ({ changes: again, result: undefined }));
    await expect(attempt).rejects.toMatchObject({ kind: 'data' });
    expect(await rowsOf(own)).toBe(before);
  });

  it('is found by its transfer without a scan', async () => {
    const transferId = aTransferId('a', 1);
    const audit = [{ ...line('of-a-transfer'), transferId }];
    await own.store.transact({}, () => ({ changes: { ...NO_CHANGES, audit }, result: undefined }));
    const hex = transferId.replaceAll('-', '');
    const [plan] = await own.send([
      `EXPLAIN SELECT id FROM audit_log WHERE transfer_id = x'${hex}'`,
    ]);
    expect(plan?.rows.flat().map(String).join(' ')).toContain('audit_log_by_transfer');
  });
});

describe('work under a lease', () => {
  it('is written while its holding is the newest one, on the own shard and on another', async () => {
    const fence = await holdingOf('first');
    await writeAs(own, fence);
    await writeAs(other, fence);
    await writeAs(other, fence);
    expect(await cell(other, 'SELECT CONCAT(name, token) FROM lease_fences')).toBe(
      `reconciler:0${fence.token}`,
    );
  });

  it('is refused on the own shard from the moment of a takeover, and writes nothing', async () => {
    const paused = await holdingOf('paused');
    const next = await holdingOf('next');
    const before = await rowsOf(own);
    await expect(writeAs(own, paused)).rejects.toMatchObject({
      kind: 'fenced',
      outcomeUnknown: false,
    });
    expect(await rowsOf(own)).toBe(before);
    await writeAs(own, next);
  });

  it('is refused on another shard once the newer holding is known there', async () => {
    const paused = await holdingOf('paused');
    await writeAs(other, paused);
    const next = await holdingOf('next');
    await raiseFence(other, next);
    await raiseFence(other, paused);
    const before = await rowsOf(other);
    await expect(writeAs(other, paused)).rejects.toMatchObject({ kind: 'fenced' });
    expect(await rowsOf(other)).toBe(before);
    await writeAs(other, next);
  });

  it('is refused where the row of its lease is gone: absence is never permission', async () => {
    const fence = await holdingOf('first');
    await own.send(['DELETE FROM leases']);
    await expect(writeAs(own, fence)).rejects.toMatchObject({ kind: 'fenced' });
  });

  it('is refused for a token that nobody was given yet, on its own shard', async () => {
    const fence = await holdingOf('first');
    const early = { ...fence, token: fence.token + 1n };
    await expect(writeAs(own, early)).rejects.toMatchObject({ kind: 'fenced' });
  });

  it('leaves the connection fit for use after a refusal', async () => {
    const paused = await holdingOf('paused');
    const next = await holdingOf('next');
    const attempts = Array.from({ length: 20 }, (_, n) => writeAs(own, n % 2 ? paused : next));
    const outcomes = await Promise.allSettled(attempts);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(10);
    await writeAs(own, next);
  });

  it('of two shards with leases of the same name does not meet', async () => {
    const fence = await holdingOf('first');
    await acquireLease(other, { name: LEASE, holder: 'their own', ttlMs: LONG_MS });
    const theirs: Fence = { shard: other.id, lease: LEASE, token: 1n };
    await raiseFence(own, { ...theirs, token: 99n });
    await writeAs(own, fence);
    await writeAs(other, theirs);
    await expect(writeAs(own, theirs)).rejects.toMatchObject({ kind: 'fenced' });
  });
});
