import { expect, it } from '@jest/globals';
import type { Changes, Fence } from '@surety/saga';
import { aTransferRow, anAuditEntry, readRows, writeRows } from './row-builders.js';
import type { ShardStoreUnderTest } from './shard-store-contract.js';

const LEASE = 'contract';
const ELSEWHERE = 9;

/** What writes under a lease promise, and the lines of audit_log that tell of them. */
export function fences(given: () => ShardStoreUnderTest): void {
  const writeUnder = (fence: Fence, changes: Partial<Changes>): Promise<undefined> => {
    const { store, epoch } = given();
    return writeRows(store.at(epoch(), fence), changes);
  };

  it('takes work under its own lease until somebody else holds it, and then none of it', async () => {
    const { store, takeLease, stored } = given();
    const first = { shard: store.shard, lease: LEASE, token: await takeLease(LEASE, 'one') };
    const early = aTransferRow(50);
    await writeUnder(first, { transfersInserted: [early] });
    const second = { ...first, token: await takeLease(LEASE, 'other') };
    expect(second.token).toBeGreaterThan(first.token);
    const before = await stored();
    const late = aTransferRow(51);
    const changes = { transfersInserted: [late], audit: [anAuditEntry(late)] };
    await expect(writeUnder(first, changes)).rejects.toMatchObject({ kind: 'fenced' });
    expect(await stored()).toEqual(before);
    await writeUnder(second, changes);
    const ids = [early.id, late.id];
    expect((await readRows(store, { transfers: ids })).transfers.size).toBe(2);
  });

  it('remembers the highest token that it has seen of a lease of another shard', async () => {
    const { stored } = given();
    const under = (token: bigint): Fence => ({ shard: ELSEWHERE, lease: LEASE, token });
    await writeUnder(under(2n), { transfersInserted: [aTransferRow(52)] });
    const before = await stored();
    const late = { transfersInserted: [aTransferRow(53)] };
    await expect(writeUnder(under(1n), late)).rejects.toMatchObject({ kind: 'fenced' });
    expect(await stored()).toEqual(before);
    await writeUnder(under(2n), late);
    await writeUnder(under(5n), { transfersInserted: [aTransferRow(54)] });
    const never = { transfersInserted: [aTransferRow(55)] };
    await expect(writeUnder(under(2n), never)).rejects.toMatchObject({ kind: 'fenced' });
  });

  it('keeps a line of audit_log with what it tells of, or neither', async () => {
    const { store, stored } = given();
    const row = aTransferRow(56);
    const audit = [anAuditEntry(row)];
    await writeRows(store, { transfersInserted: [row], audit });
    expect((await stored()).audited).toContain(row.id);
    const before = await stored();
    const again = { transfersInserted: [row], audit };
    await expect(writeRows(store, again)).rejects.toMatchObject({ kind: 'data' });
    expect(await stored()).toEqual(before);
  });
}
