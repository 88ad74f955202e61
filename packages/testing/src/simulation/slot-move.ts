import { SLOT_COUNT, shardOfSlot } from '@surety/domain';
import type { ShardId, SlotMap, SlotRange } from '@surety/domain';
import type { MemoryRows } from '../memory-store.js';
import type { SimulatedShard } from './simulated-shard.js';

export interface SlotMove {
  /** First and last slot that go: all that lie between them are on the shard that they leave. */
  readonly slots: { readonly from: number; readonly to: number };
  readonly from: SimulatedShard;
  readonly to: SimulatedShard;
}

/** The map after a move: the next epoch. */
export function mapAfter(map: SlotMap, { slots, to }: SlotMove): SlotMap {
  const isMoved = (slot: number): boolean => slot >= slots.from && slot <= slots.to;
  const starts = new Set([...map.ranges.map(({ fromSlot }) => fromSlot), slots.from]);
  if (slots.to + 1 < SLOT_COUNT) starts.add(slots.to + 1);
  const ranges: SlotRange[] = [];
  for (const fromSlot of [...starts].sort((one, other) => one - other)) {
    const shard: ShardId = isMoved(fromSlot) ? to.id : shardOfSlot(map, fromSlot);
    if (ranges.at(-1)?.shard !== shard) ranges.push({ fromSlot, shard });
  }
  return { epoch: map.epoch + 1n, ranges };
}

/**
 * The switch of a move: every row of the slots goes from one shard to the other in one instant, and
 * both have the new map. Shards that are not part of it hear of it later.
 */
export function moveSlots(move: SlotMove, map: SlotMap): SlotMap {
  const { slots, from, to } = move;
  const next = mapAfter(map, move);
  moveRows(from.rows, to.rows, (slot) => slot >= slots.from && slot <= slots.to);
  from.place(next);
  to.place(next);
  return next;
}

function moveRows(from: MemoryRows, to: MemoryRows, isMoved: (slot: number) => boolean): void {
  const open = new Set(
    [...from.openTransfers].filter((id) => isMoved(from.transfers.get(id)?.slot ?? -1)),
  );
  for (const id of open) {
    from.openTransfers.delete(id);
    to.openTransfers.add(id);
  }
  moveEntries(from.keys, to.keys, isMoved);
  moveEntries(from.transfers, to.transfers, isMoved);
  moveEntries(from.decisions, to.decisions, isMoved);
  moveEntries(from.accounts, to.accounts, isMoved);
  moveEntries(from.holds, to.holds, isMoved);
  moveEntries(from.events, to.events, isMoved);
  for (const leg of from.legs.splice(0)) (isMoved(leg.slot) ? to : from).legs.push(leg);
}

function moveEntries<K, V extends { readonly slot: number }>(
  from: Map<K, V>,
  to: Map<K, V>,
  isMoved: (slot: number) => boolean,
): void {
  for (const [key, row] of [...from]) {
    if (!isMoved(row.slot)) continue;
    from.delete(key);
    to.set(key, row);
  }
}
