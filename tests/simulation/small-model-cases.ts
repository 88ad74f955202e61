import { evenSlotMap, shardOfSlot, slotOfAccount } from '@surety/domain';
import { fundAccounts, openAccounts } from '@surety/saga';
import type { ShardStore, TransferRequest } from '@surety/saga';
import { MemoryShardStore, aDeposit, aTransferRequest, eur } from '@surety/testing';
import { exploreAll } from './small-model.js';
import type { ModelResult } from './small-model.js';

const MAP = evenSlotMap(2);
const NOW_MS = Date.parse('2026-01-31T10:00:00Z');
const BALANCE = 100;

const HERE = accountOn(0, 'here-');
const NEXT_DOOR = accountOn(0, 'next-door-');
const AWAY = accountOn(1, 'away-');

function accountOn(shard: number, prefix: string): string {
  for (let n = 0; ; n += 1) {
    const id = `${prefix}${n}`;
    if (shardOfSlot(MAP, slotOfAccount(id)) === shard) return id;
  }
}

export interface ModelCase {
  readonly name: string;
  readonly transfers: readonly (readonly [source: string, destination: string, minor: number])[];
  readonly isChaining: boolean;
  /** 2: each message and one duplicate. */
  readonly deliveriesMax: number;
}

/** Small enough to be run with every change. */
export const SMALL_CASES: readonly ModelCase[] = [
  {
    name: 'one transfer between two shards',
    transfers: [[HERE, AWAY, 60]],
    isChaining: false,
    deliveriesMax: 2,
  },
  {
    name: 'one transfer on one shard, step by step',
    transfers: [[HERE, NEXT_DOOR, 60]],
    isChaining: false,
    deliveriesMax: 2,
  },
  {
    name: 'one transfer on one shard, in one go',
    transfers: [[HERE, NEXT_DOOR, 60]],
    isChaining: true,
    deliveriesMax: 2,
  },
];

/** There is money for one of the two, or for the second only once the first has arrived. */
export const LARGE_CASES: readonly ModelCase[] = [
  {
    name: 'two transfers out of one account',
    transfers: [
      [HERE, AWAY, 60],
      [HERE, NEXT_DOOR, 60],
    ],
    isChaining: false,
    deliveriesMax: 2,
  },
  {
    name: 'two transfers one after the other',
    transfers: [
      [HERE, AWAY, 60],
      [AWAY, HERE, 130],
    ],
    isChaining: false,
    deliveriesMax: 2,
  },
];

export async function runCase(
  { transfers, isChaining, deliveriesMax }: ModelCase,
  through?: (store: ShardStore) => ShardStore,
): Promise<ModelResult> {
  const requests = transfers.map(([source, destination, minor], n): TransferRequest =>
    aTransferRequest({ n, source, destination, amount: eur(minor) }),
  );
  const shards = await funded();
  const options = { shards, requests, isChaining, deliveriesMax };
  return exploreAll(through ? { ...options, through } : options);
}

async function funded(): Promise<MemoryShardStore[]> {
  const shards = [0, 1].map((id) => new MemoryShardStore(id, () => NOW_MS));
  for (const [n, id] of [HERE, NEXT_DOOR, AWAY].entries()) {
    const store = shards[shardOfSlot(MAP, slotOfAccount(id))]!;
    const rest = { type: 'customer', owner: null, overdraftLimit: 0n, metadata: null } as const;
    await openAccounts(store, [{ id, tenant: 'default', currency: 'EUR', ...rest }]);
    await fundAccounts(store, [aDeposit(id, eur(BALANCE), n)]);
  }
  return shards;
}
