import type { RedisHandle } from '@surety/runtime';

/** As long as keys live at least. */
const REMEMBERED_SECONDS = 24 * 60 * 60;
/** After a failed command Redis is left alone this long, so that requests do not wait for it in turn. */
const PAUSE_AFTER_FAILURE_MS = 1_000;

/**
 * Remembers in which slot a key was used first. Within a slot the rows of MySQL decide; across slots
 * this memory is the only guard, it is a courtesy and may be lost: a client that uses one key for
 * two sources makes two transfers then.
 */
export class KeyMemory {
  private readonly redis: RedisHandle;
  private pausedUntilMs = 0;

  constructor(redis: RedisHandle) {
    this.redis = redis;
  }

  /** False only where the key is known to have been used in another slot. */
  async belongsHere(keyHash: string, slot: number): Promise<boolean> {
    if (!this.redis.available || performance.now() < this.pausedUntilMs) return true;
    const name = `surety:key:${keyHash}`;
    try {
      const { client } = this.redis;
      const taken = await client.set(name, slot, 'EX', REMEMBERED_SECONDS, 'NX');
      if (taken !== null) return true;
      const known = await client.get(name);
      return known === null || known === String(slot);
    } catch {
      this.pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
      return true;
    }
  }
}
