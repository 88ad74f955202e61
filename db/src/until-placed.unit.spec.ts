import { describe, expect, it } from '@jest/globals';
import type { SlotMap } from '@surety/domain';
import { evenSlotMap } from '@surety/domain';
import { StoreError } from '@surety/saga';
import { MisplacedShardError } from './slot-map-store.js';
import { untilPlaced } from './until-placed.js';

/** Fails as often as there are errors, then answers. */
function mapsAfter(errors: readonly Error[]): { reload(): Promise<SlotMap>; attempts: number } {
  const left = [...errors];
  return {
    attempts: 0,
    async reload() {
      this.attempts += 1;
      const error = left.shift();
      if (error) throw error;
      return Promise.resolve(evenSlotMap(2));
    },
  };
}

const away = (): StoreError => new StoreError('environment', 'no shard answers');

describe('the wait for the first placement', () => {
  it('asks again until a shard answers, and tells of it once', async () => {
    const maps = mapsAfter([away(), away()]);
    const told: unknown[] = [];
    await untilPlaced(maps, { patienceMs: 60_000, waiting: (error) => told.push(error) });
    expect([maps.attempts, told.length]).toEqual([3, 1]);
  });

  it('ends with the last error where patience is over', async () => {
    const maps = mapsAfter([away()]);
    await expect(untilPlaced(maps, { patienceMs: 0, waiting: () => undefined })).rejects.toThrow(
      'no shard answers',
    );
    expect(maps.attempts).toBe(1);
  });

  it('does not wait for a URL that leads to another shard to mend itself', async () => {
    const maps = mapsAfter([new MisplacedShardError('environment', 'shard 1 under 0'), away()]);
    await expect(
      untilPlaced(maps, { patienceMs: 60_000, waiting: () => undefined }),
    ).rejects.toThrow('shard 1 under 0');
    expect(maps.attempts).toBe(1);
  });
});
