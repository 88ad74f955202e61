/**
 * The one place that knows where data lives: account -> slot -> shard, and slot -> Kafka partition.
 * A slot never changes; which shard carries it is a map with an epoch that rises at every change.
 */
export const SLOT_COUNT = 4096;

const CRC32_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** CRC-32 (ISO 3309, the polynomial of zlib) over the text's ASCII bytes. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc = (crc >>> 8) ^ (CRC32_TABLE[(crc ^ text.charCodeAt(index)) & 0xff] as number);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** The slot of an account: crc32(accountId) mod 4096. */
export function slotOfAccount(accountId: string): number {
  return crc32(accountId) % SLOT_COUNT;
}

/** A partition is a contiguous range of slots: a hint for batching, never a promise of order. */
export function partitionOfSlot(slot: number, partitionCount: number): number {
  return Math.floor((slot * partitionCount) / SLOT_COUNT);
}

/**
 * The first slot of a partition's range: where a message goes that says nothing readable itself. A
 * partition beyond the count, which somebody with a higher one has written to, counts as the last.
 */
export function firstSlotOfPartition(partition: number, partitionCount: number): number {
  const known = Math.min(partition, partitionCount - 1);
  return Math.ceil((known * SLOT_COUNT) / partitionCount);
}

export type ShardId = number;

/** Which shard carries which slot, as of an epoch. Ranges are contiguous, sorted and cover every slot. */
export interface SlotMap {
  readonly epoch: bigint;
  readonly ranges: readonly SlotRange[];
}

export interface SlotRange {
  /** First slot of the range; it reaches up to the next range's first slot. */
  readonly fromSlot: number;
  readonly shard: ShardId;
}

/**
 * The map a new system starts with: equal contiguous ranges, shard = floor(slot * N / 4096).
 * @throws RangeError where a shard would get no slot at all.
 */
export function evenSlotMap(shardCount: number): SlotMap {
  if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > SLOT_COUNT) {
    throw new RangeError(`not a number of shards: ${shardCount}`);
  }
  const ranges = Array.from({ length: shardCount }, (_, shard) => ({
    fromSlot: Math.ceil((shard * SLOT_COUNT) / shardCount),
    shard,
  }));
  return { epoch: 1n, ranges };
}

/** @throws RangeError for a slot that no shard carries, which a well-formed map cannot have. */
export function shardOfSlot(map: SlotMap, slot: number): ShardId {
  let low = 0;
  let high = map.ranges.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((map.ranges[middle] as SlotRange).fromSlot <= slot) low = middle;
    else high = middle - 1;
  }
  const range = map.ranges[low];
  if (!range || range.fromSlot > slot || slot < 0 || slot >= SLOT_COUNT) {
    throw new RangeError(`no shard carries slot ${slot} in epoch ${map.epoch}`);
  }
  return range.shard;
}

/**
 * Of several maps the oldest. Work that was routed by different maps goes by it: where a shard knows
 * a newer one it refuses all of it, and all is routed anew.
 * @param maps at least one
 */
export function oldestMapOf(maps: readonly SlotMap[]): SlotMap {
  return maps.reduce((oldest, map) => (map.epoch < oldest.epoch ? map : oldest));
}
