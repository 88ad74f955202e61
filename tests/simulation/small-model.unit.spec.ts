import { describe, expect, it } from '@jest/globals';
import { evenSlotMap, shardOfSlot, slotOfAccount } from '@surety/domain';
import { fundAccounts, openAccounts } from '@surety/saga';
import { MemoryShardStore, aDeposit, aTransferRequest, eur } from '@surety/testing';
import { exploreAll } from './small-model.js';

const MAP = evenSlotMap(2);

function accountOn(shard: number, prefix: string): string {
  for (let n = 0; ; n += 1) {
    const id = `${prefix}${n}`;
    if (shardOfSlot(MAP, slotOfAccount(id)) === shard) return id;
  }
}

const HERE = accountOn(0, 'here-');
const NEXT_DOOR = accountOn(0, 'next-door-');
const AWAY = accountOn(1, 'away-');

async function funded(): Promise<MemoryShardStore[]> {
  const shards = [0, 1].map(
    (id) => new MemoryShardStore(id, () => Date.parse('2026-01-31T10:00Z')),
  );
  for (const [n, id] of [HERE, NEXT_DOOR, AWAY].entries()) {
    const store = shards[shardOfSlot(MAP, slotOfAccount(id))]!;
    const rest = { type: 'customer', owner: null, overdraftLimit: 0n, metadata: null } as const;
    await openAccounts(store, [{ id, tenant: 'default', currency: 'EUR', ...rest }]);
    await fundAccounts(store, [aDeposit(id, eur(100), n)]);
  }
  return shards;
}

function transfer(n: number, source: string, destination: string, minor: number) {
  return aTransferRequest({ n, source, destination, amount: eur(minor) });
}

describe('every order of events', () => {
  it.each<[string, string, boolean]>([
    ['between two shards', AWAY, false],
    ['on one shard, step by step', NEXT_DOOR, false],
    ['on one shard, in one go', NEXT_DOOR, true],
  ])('keeps every promise for a transfer %s', async (name, destination, isChaining) => {
    const requests = [transfer(1, HERE, destination, 60)];
    const result = await exploreAll({ shards: await funded(), requests, isChaining });
    process.stdout.write(`${name}: ${result.states} states, ${result.transitions} transitions\n`);
    expect(result.violations).toEqual([]);
    expect([...result.ends].sort()).toEqual(['cancelled', 'committed', 'rejected']);
  });
});
