import type { ShardId, SlotMap } from '@surety/domain';

/**
 * The condition of rows whose slot the map gives to other shards, by the column that says it. What is
 * beyond all slots counts as the last of them.
 */
export function foreignTo(shard: ShardId, { ranges }: SlotMap): (column: string) => string {
  const foreign = ranges.flatMap(({ fromSlot, shard: carrier }, at) =>
    carrier === shard ? [] : [{ fromSlot, below: ranges[at + 1]?.fromSlot }],
  );
  return (column) => {
    const within = foreign.map(({ fromSlot, below }) =>
      below === undefined
        ? `${column} >= ${fromSlot}`
        : `${column} BETWEEN ${fromSlot} AND ${below - 1}`,
    );
    return within.length === 0 ? '1 = 0' : `(${within.join(' OR ')})`;
  };
}
