import type { Envelope } from '@surety/contracts';
import { isolate } from '@surety/runtime';
import type { Isolated } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import type { SweepContext } from './context.js';
import { idsOf } from './repair.js';
import type { Trouble } from './repair.js';

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

/** Tells of a transfer whose rows are broken, by one of its events, and leaves it alone for a while. */
export function leaveBroken(
  { itemBackoff, listener }: Pick<SweepContext, 'itemBackoff' | 'listener'>,
  broken: Pick<Trouble, 'shard' | 'message' | 'error'> & { readonly event: Envelope },
): void {
  const { shard, event, message, error } = broken;
  itemBackoff.attempted(event.transferId);
  listener.trouble({ kind: 'data', shard, ...idsOf(event), message, error });
}
