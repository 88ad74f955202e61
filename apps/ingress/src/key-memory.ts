import type { RedisHandle } from '@surety/runtime';
import type { KeyRef } from '@surety/saga';

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
  async belongsHere(key: KeyRef): Promise<boolean> {
    const [belongs = true] = await this.belongHere([key]);
    return belongs;
  }

  /** The same for many keys, in two round trips at most. */
  async belongHere(keys: readonly KeyRef[]): Promise<readonly boolean[]> {
    if (!this.redis.available || performance.now() < this.pausedUntilMs) {
      return keys.map(() => true);
    }
    try {
      return await this.ask(keys);
    } catch {
      this.pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
      return keys.map(() => true);
    }
  }

  private async ask(keys: readonly KeyRef[]): Promise<readonly boolean[]> {
    const { client } = this.redis;
    const taken = await Promise.all(
      keys.map(({ keyHash, slot }) =>
        client.set(nameOf(keyHash), slot, 'EX', REMEMBERED_SECONDS, 'NX'),
      ),
    );
    return Promise.all(
      keys.map(async ({ keyHash, slot }, at) => {
        if (taken[at] !== null) return true;
        const known = await client.get(nameOf(keyHash));
        return known === null || known === String(slot);
      }),
    );
  }
}

function nameOf(keyHash: string): string {
  return `surety:key:${keyHash}`;
}
