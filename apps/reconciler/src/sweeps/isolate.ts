import { isolate } from '@surety/runtime';
import type { Isolated } from '@surety/runtime';
import { StoreError } from '@surety/saga';

/** A failure of the shard, not of what was asked of it: trying the items one by one is no use. */
function isShardAway(error: unknown): boolean {
  return error instanceof StoreError && error.kind !== 'data';
}

/**
 * A broken row never keeps the sound ones from being repaired.
 * @throws what says that the shard itself is away; everything else comes back as `faulty`.
 */
export function isolateBroken<Item, Result>(
  items: readonly Item[],
  run: (batch: readonly Item[]) => Promise<readonly Result[]>,
): Promise<Isolated<Item, Result>> {
  return isolate(items, run, (error) => !isShardAway(error));
}
