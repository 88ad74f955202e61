import type { ShardId, SlotMap } from '@surety/domain';
import { shardOfSlot } from '@surety/domain';
import { SlotMapStore, countRows, withGlobalSnapshot } from '@surety/db';
import type { CountedTable, Session, Shard, ShardPools } from '@surety/db';
import { AT_ONCE } from '../give-way.js';
import type { GiveWay } from '../give-way.js';
import type { Findings } from './types.js';

/** What a check looks at: all shards at one and the same instant. */
export interface CheckScope {
  readonly snapshots: readonly Session[];
  /** The newest of this instant. */
  readonly map: SlotMap;
  /** @throws RangeError where no shard carries the slot. */
  snapshotOf(slot: number): Session;
  /** The shard as it is now, for what is allowed to come later than the instant. */
  liveShard(id: ShardId): Shard;
  /** Rows of these tables over all shards. */
  count(...tables: readonly CountedTable[]): Promise<number>;
  /** How long a projection may take to reach what the instant says, in milliseconds. */
  readonly projectionPatienceMs: number;
  /** After each piece of what is read. */
  readonly giveWay: GiveWay;
}

/** One promise and how it is proven. A check only reads and only adds findings. */
export interface Check {
  readonly name: string;
  readonly promise: string;
  /** @throws StoreError where it cannot be known. */
  inspect(scope: CheckScope, findings: Findings): Promise<void>;
}

export interface ScopeOptions {
  readonly projectionPatienceMs: number;
  readonly giveWay?: GiveWay | undefined;
}

/** Opens the instant, and lets the work look around in it. */
export function withScope<T>(
  pools: ShardPools,
  { projectionPatienceMs, giveWay = AT_ONCE }: ScopeOptions,
  work: (scope: CheckScope) => Promise<T>,
): Promise<T> {
  return withGlobalSnapshot(pools.shards, async (snapshots) => {
    const counts = new Map<CountedTable, Promise<number>>();
    const countOf = (table: CountedTable): Promise<number> => {
      const known = counts.get(table) ?? countEverywhere(snapshots, table);
      counts.set(table, known);
      return known;
    };
    // Of this instant: a change of the map may not have come to this process yet.
    const map = await new SlotMapStore(snapshots).reload();
    return work({
      snapshots,
      map,
      snapshotOf: (slot) => snapshots[shardOfSlot(map, slot)] as Session,
      liveShard: (id) => pools.shards[id] as Shard,
      count: async (...tables) => sum(await Promise.all(tables.map(countOf))),
      projectionPatienceMs,
      giveWay,
    });
  });
}

/** Only the tables that are asked for: a check of what is new must not scan the old. */
async function countEverywhere(
  snapshots: readonly Session[],
  table: CountedTable,
): Promise<number> {
  const counts = await Promise.all(snapshots.map((snapshot) => countRows(snapshot, [table])));
  return sum(counts.map((rows) => rows.get(table) ?? 0));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Runs the same reads on every shard at once; each has its own connection. */
export async function onEveryShard(
  scope: CheckScope,
  look: (snapshot: Session) => Promise<void>,
): Promise<void> {
  await Promise.all(scope.snapshots.map(look));
}
