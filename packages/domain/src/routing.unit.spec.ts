import { crc32 as referenceCrc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  SLOT_COUNT,
  crc32,
  evenSlotMap,
  firstSlotOfPartition,
  partitionOfSlot,
  shardOfSlot,
  slotOfAccount,
} from './routing.js';

const EVERY_SLOT = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
const anAccountId = fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/);

describe('crc32', () => {
  it.each([
    ['', 0],
    ['a', 0xe8b7be43],
    ['123456789', 0xcbf43926],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ])('of %j is the published check value', (text, expected) => {
    expect(crc32(text)).toBe(expected);
  });

  it('agrees with zlib', () => {
    fc.assert(
      fc.property(anAccountId, (text) => {
        expect(crc32(text)).toBe(referenceCrc32(text));
      }),
    );
  });
});

describe('the slot of an account', () => {
  // Written down, not computed: a slot that changed would strand every row of its account.
  it.each([
    ['ACC001', 3705],
    ['ACC002', 4035],
    ['ACC100', 1240],
    ['merchant:eu-1', 3957],
  ])('of %s is %d for ever', (id, slot) => {
    expect(slotOfAccount(id)).toBe(slot);
  });

  it('is one of 4096', () => {
    fc.assert(
      fc.property(anAccountId, (id) => {
        const slot = slotOfAccount(id);
        expect(Number.isInteger(slot) && slot >= 0 && slot < 4096).toBe(true);
      }),
    );
  });

  it('tells apart what differs in case only', () => {
    expect(slotOfAccount('acc001')).not.toBe(slotOfAccount('ACC001'));
  });
});

describe('the even slot map', () => {
  it.each(Array.from({ length: 64 }, (_, index) => index + 1))(
    'of %d shards carries slot s on shard floor(s * N / 4096)',
    (shardCount) => {
      const map = evenSlotMap(shardCount);
      expect(map.epoch).toBe(1n);
      const wrong = EVERY_SLOT.filter(
        (slot) => shardOfSlot(map, slot) !== Math.floor((slot * shardCount) / SLOT_COUNT),
      );
      expect(wrong).toEqual([]);
    },
  );

  it.each([1, 2, 3, 7, 16, 4096])('of %d shards leaves none without slots', (shardCount) => {
    const map = evenSlotMap(shardCount);
    const shards = new Set(EVERY_SLOT.map((slot) => shardOfSlot(map, slot)));
    expect(shards.size).toBe(shardCount);
  });

  it.each([0, -1, 1.5, 4097, Number.NaN])('of %d shards does not exist', (shardCount) => {
    expect(() => evenSlotMap(shardCount)).toThrow(RangeError);
  });
});

describe('the shard of a slot', () => {
  const moved = {
    epoch: 7n,
    ranges: [
      { fromSlot: 0, shard: 0 },
      { fromSlot: 100, shard: 2 },
      { fromSlot: 101, shard: 0 },
      { fromSlot: 2048, shard: 1 },
    ],
  };

  it.each([
    [0, 0],
    [99, 0],
    [100, 2],
    [101, 0],
    [2047, 0],
    [2048, 1],
    [4095, 1],
  ])('finds slot %d on shard %d after a move', (slot, shard) => {
    expect(shardOfSlot(moved, slot)).toBe(shard);
  });

  it.each([-1, 4096, 100_000])('refuses slot %d', (slot) => {
    expect(() => shardOfSlot(moved, slot)).toThrow(RangeError);
  });

  it('refuses a slot that no range reaches', () => {
    expect(() => shardOfSlot({ epoch: 1n, ranges: [] }, 0)).toThrow(RangeError);
    expect(() => shardOfSlot({ epoch: 1n, ranges: [{ fromSlot: 5, shard: 0 }] }, 4)).toThrow(
      'no shard carries slot 4 in epoch 1',
    );
  });

  it('agrees with a search from the front in every well-formed map', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: SLOT_COUNT - 1 }), { maxLength: 40 });
    fc.assert(
      fc.property(cuts, fc.integer({ min: 0, max: SLOT_COUNT - 1 }), (starts, slot) => {
        const sorted = [0, ...starts.sort((a, b) => a - b)];
        const ranges = sorted.map((fromSlot, index) => ({ fromSlot, shard: index % 5 }));
        const last = ranges.filter((range) => range.fromSlot <= slot).at(-1);
        expect(shardOfSlot({ epoch: 1n, ranges }, slot)).toBe(last?.shard);
      }),
    );
  });
});

describe('the partition of a slot', () => {
  it.each([1, 2, 3, 16, 48, 64])('never falls as slots rise, over %d partitions', (count) => {
    const partitions = EVERY_SLOT.map((slot) => partitionOfSlot(slot, count));
    expect(partitions).toEqual([...partitions].sort((a, b) => a - b));
    expect(new Set(partitions).size).toBe(count);
    expect(partitions[0]).toBe(0);
    expect(partitions.at(-1)).toBe(count - 1);
  });

  it.each([1, 3, 16, 4096])('of %i begins at its first slot', (count) => {
    for (let partition = 0; partition < count; partition += 1) {
      const first = firstSlotOfPartition(partition, count);
      expect(partitionOfSlot(first, count)).toBe(partition);
      if (first > 0) expect(partitionOfSlot(first - 1, count)).toBe(partition - 1);
    }
  });

  it('beyond the count begins where the last one does', () => {
    expect(firstSlotOfPartition(8, 8)).toBe(firstSlotOfPartition(7, 8));
    expect(firstSlotOfPartition(1023, 1)).toBe(0);
  });

  it('lies within one shard of the even map where shards divide the partitions', () => {
    for (const shardCount of [1, 2, 4, 8, 16]) {
      const map = evenSlotMap(shardCount);
      const shardsOf = new Map<number, Set<number>>();
      for (const slot of EVERY_SLOT) {
        const partition = partitionOfSlot(slot, 16);
        const shards = shardsOf.get(partition) ?? new Set<number>();
        shardsOf.set(partition, shards.add(shardOfSlot(map, slot)));
      }
      expect([...shardsOf.values()].every((shards) => shards.size === 1)).toBe(true);
    }
  });
});
