import { describe, expect, it } from '@jest/globals';
import type { Shard } from '@surety/db';
import { evenSlotMap } from '@surety/domain';
import type { SlotMap } from '@surety/domain';
import { createMetrics } from '@surety/runtime';
import { MemoryShardStore } from '@surety/testing';
import { Admissions } from './admissions.js';
import { ShardDoors } from './shard-doors.js';

const SLOT = 7;
const BEFORE: SlotMap = evenSlotMap(2);
const AFTER: SlotMap = { epoch: 2n, ranges: [{ fromSlot: 0, shard: 1 }] };

/** Two shards in memory; the slots of the first move to the second while nobody tells the door. */
function doorsOverMovedSlots() {
  let current = BEFORE;
  const stores = [0, 1].map((id) => new MemoryShardStore(id, () => 0));
  for (const store of stores) store.epoch = AFTER.epoch;
  const doors = new ShardDoors({
    shards: stores.map((store, id) => ({ id, store }) as unknown as Shard),
    slotMaps: {
      current: () => current,
      reload: async () => {
        current = AFTER;
        return Promise.resolve(current);
      },
    },
    admissions: new Admissions(() => 0),
    queueMax: 10,
    doorbell: {
      ring: () => undefined,
      subscribe: () => Promise.resolve(() => undefined),
      close: () => Promise.resolve(),
    },
    metrics: createMetrics('spec'),
  });
  return doors;
}

describe('a read behind a slot that has moved', () => {
  it('believes in an absence only where the slot lies', async () => {
    const doors = doorsOverMovedSlots();
    const asked: number[] = [];
    const found = await doors.read(SLOT, ({ id }) => {
      asked.push(id);
      return Promise.resolve(id === 1 ? 'here' : undefined);
    });
    expect([found, asked]).toEqual(['here', [0, 1]]);
    await doors.stop();
  });

  it('takes what it finds, wherever that was', async () => {
    const doors = doorsOverMovedSlots();
    expect(await doors.read(SLOT, ({ id }) => Promise.resolve(`on ${id}`))).toBe('on 0');
    await doors.stop();
  });

  it('asks for many together, and believes that one is absent only where its slot lies', async () => {
    const doors = doorsOverMovedSlots();
    const asked: [number, readonly number[]][] = [];
    // Slots of the first half, and one that the second shard has carried all along.
    const slots = [SLOT, SLOT + 1, 4_000];
    const found = await doors.readMany(
      slots,
      (slot) => slot,
      ({ id }, keys) => {
        asked.push([id, keys]);
        return Promise.resolve(new Map(id === 1 ? keys.map((key) => [key, `on ${id}`]) : []));
      },
    );
    expect([...found].sort(([a], [b]) => a - b)).toEqual(slots.map((slot) => [slot, 'on 1']));
    expect(asked).toContainEqual([0, [SLOT, SLOT + 1]]);
    expect(asked).toContainEqual([1, slots]);
    await doors.stop();
  });

  it('asks again for the whole, where a part may be missing', async () => {
    const doors = doorsOverMovedSlots();
    expect(await doors.readWhole(SLOT, ({ id }) => Promise.resolve([id]))).toEqual([1]);
    await doors.stop();
  });
});
