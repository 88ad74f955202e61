import type { KeyRef } from '@surety/saga';
import type { PatrolContext } from './ports.js';
import type { Positions } from './walk.js';

/** Keys looked at together, and removed together at most: bounds what one transaction locks. */
export const KEYS_PAGE_MAX = 500;
/** Pages of one pass: bounds how long it takes, and gets around the keys of a busy day in a day. */
export const KEYS_PAGES_MAX = 8;

/**
 * Between the end of one round and the beginning of the next. Keys live for a day, so a minute more is
 * nothing; without it a small table is read as often as passes can, for ever.
 */
export const KEYS_ROUND_REST_MS = 60_000;

const POSITION = 'keys';

/**
 * Removes idempotency keys that have lived their time and whose transfer has ended. The walk goes on
 * where the last pass ended and begins again at the head.
 * @returns how many were removed, and whether the walk has come to its end
 */
export async function removeExpiredKeys(
  context: PatrolContext,
  positions: Positions,
): Promise<{ readonly removed: number; readonly isRoundOver: boolean }> {
  const { shard, fence } = context;
  let removed = 0;
  for (let page = 0; page < KEYS_PAGES_MAX && context.mayGoOn(); page += 1) {
    const after = keyAt(positions.of(POSITION));
    const { expired, next } = await shard.expiredKeys(after, KEYS_PAGE_MAX);
    if (expired.length > 0) removed += await shard.removeKeys(expired, fence);
    positions.move(POSITION, next && `${next.slot}/${next.keyHash}`);
    if (!next) return { removed, isRoundOver: true };
  }
  return { removed, isRoundOver: false };
}

function keyAt(position: string | undefined): KeyRef | undefined {
  const [slot, keyHash] = position?.split('/') ?? [];
  return slot !== undefined && keyHash !== undefined ? { slot: Number(slot), keyHash } : undefined;
}
