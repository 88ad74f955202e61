import type { SlotMaps } from '@surety/saga';
import { pause } from './connection/backoff.js';
import { MisplacedShardError } from './slot-map-store.js';

export interface Patience {
  /** How long shards that do not answer are waited for. */
  readonly patienceMs: number;
  /** Told once, with what the first attempt failed with. */
  readonly waiting: (error: unknown) => void;
}

const ATTEMPT_EVERY_MS = 500;

/**
 * Reads the placements, again and again while no shard answers. A process that ended instead would
 * be started over and over through an outage, and each start costs more than a look.
 * @throws StoreError where no shard answered in time, or a URL leads to another shard than it says:
 * that does not go away by itself
 */
export async function untilPlaced(
  slotMaps: Pick<SlotMaps, 'reload'>,
  { patienceMs, waiting }: Patience,
): Promise<void> {
  const giveUpAtMs = performance.now() + patienceMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await slotMaps.reload();
      return;
    } catch (error) {
      if (error instanceof MisplacedShardError || performance.now() >= giveUpAtMs) throw error;
      if (attempt === 1) waiting(error);
    }
    await pause(ATTEMPT_EVERY_MS);
  }
}
