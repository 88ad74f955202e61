import { describe, expect, it } from '@jest/globals';
import { decodeMessage } from '@surety/contracts';
import { evenSlotMap, partitionOfSlot, shardOfSlot, slotOfAccount } from '@surety/domain';
import type { AccountId } from '@surety/domain';
import { MemoryShardStore, aTransferRequest, eur } from '@surety/testing';
import { requestTransfers } from './request.js';
import type { OutboxRow } from './ports.js';

const map = evenSlotMap(2);
const shardOf = (slot: number): number => shardOfSlot(map, slot);

function accountOn(shard: number, nth: number): AccountId {
  const found: AccountId[] = [];
  for (let n = 0; found.length <= nth; n += 1) {
    if (shardOf(slotOfAccount(`acc-${n}`)) === shard) found.push(`acc-${n}`);
  }
  return found[nth] as AccountId;
}

/** The messages of one transaction that requests a transfer from each of these. */
async function messagesFrom(
  sources: readonly AccountId[],
  partitions = 16,
): Promise<readonly OutboxRow[]> {
  const store = new MemoryShardStore(0, () => 1_700_000_000_000);
  store.shardOf = shardOf;
  store.partitions = partitions;
  const requests = sources.map((source, n) =>
    aTransferRequest({ n, source, destination: 'payee', amount: eur(1) }),
  );
  await requestTransfers(store, requests);
  return store.rows.outbox;
}

function sourcesOf({ payload }: OutboxRow): AccountId[] {
  const decoded = decodeMessage(payload);
  return decoded.kind === 'events' ? decoded.events.map(({ data }) => data.source) : [];
}

describe('the messages of one transaction', () => {
  it('hold everything for one shard together, in order, on the partition of the first', async () => {
    const sources = [0, 1, 2].map((nth) => accountOn(0, nth));
    const rows = await messagesFrom(sources);
    expect(rows.map(sourcesOf)).toEqual([sources]);
    const slot = slotOfAccount(sources[0] as AccountId);
    expect(rows[0]?.partition).toBe(partitionOfSlot(slot, 16));
  });

  it.each([1, 4, 1024])('stay within the %i partitions that there are', async (partitions) => {
    const sources = Array.from({ length: 40 }, (_, n): AccountId => `acc-${n}`);
    for (const source of sources) {
      const rows = await messagesFrom([source], partitions);
      const partition = partitionOfSlot(slotOfAccount(source), partitions);
      expect(rows.map((row) => row.partition)).toEqual([partition]);
    }
  });

  it('never mix shards: one that is away must not hold up what is for another', async () => {
    const sources = [accountOn(0, 0), accountOn(1, 0), accountOn(0, 1), accountOn(1, 1)];
    const rows = await messagesFrom(sources);
    expect(rows.map(sourcesOf)).toEqual([
      [sources[0], sources[2]],
      [sources[1], sources[3]],
    ]);
  });

  it('are cut before they grow beyond what the broker takes', async () => {
    const sources = Array.from({ length: 400 }, () => accountOn(0, 0));
    const rows = await messagesFrom(sources);
    expect(rows.length).toBeGreaterThan(1);
    expect(Math.max(...rows.map(({ payload }) => payload.length))).toBeLessThan(80_100);
    expect(rows.flatMap(sourcesOf)).toEqual(sources);
  });
});
