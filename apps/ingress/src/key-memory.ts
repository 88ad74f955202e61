import { Batcher, RedisScript, partsOfCalls } from '@surety/runtime';
import type { RedisHandle } from '@surety/runtime';
import type { KeyRef } from '@surety/saga';

/** As long as keys live at least. */
const REMEMBERED_SECONDS = 24 * 60 * 60;
/** After a failed call Redis is left alone this long, so that requests do not wait for it in turn. */
const PAUSE_AFTER_FAILURE_MS = 1_000;
/**
 * Every request passes here, so this is where they fall into step: those of one step go on to a group
 * commit together. A message for each of many small commits costs every process behind.
 */
const PACE = { ms: 15, fromWeight: 2 };
/** Bounds what is asked for together while Redis is slow; beyond both, a key counts as ours. */
const GATHERED_MAX = 1_000;
const WAITING_MAX = 10_000;

/**
 * Sets each key unless it is there, and names the positions of those that another slot had set.
 * ARGV: time to live in seconds, then the slot for each key.
 */
const REMEMBER = new RedisScript(`
local foreign = {}
for i, key in ipairs(KEYS) do
  local slot = ARGV[i + 1]
  if not redis.call('SET', key, slot, 'EX', ARGV[1], 'NX') and redis.call('GET', key) ~= slot then
    foreign[#foreign + 1] = i
  end
end
return foreign
`);

/**
 * Remembers in which slot a key was used first. Within a slot the rows of MySQL decide; across slots
 * this memory is the only guard, it is a courtesy and may be lost: a client that uses one key for
 * two sources makes two transfers then.
 *
 * The keys of requests that come at the same time are asked for together: a command of its own for
 * each costs more than all the rest of what is done about a key.
 */
export class KeyMemory {
  private readonly redis: Pick<RedisHandle, 'client' | 'available'>;
  private readonly batcher: Batcher<KeyRef, boolean>;
  private pausedUntilMs = 0;

  constructor(redis: Pick<RedisHandle, 'client' | 'available'>) {
    this.redis = redis;
    this.batcher = new Batcher({
      weightMax: GATHERED_MAX,
      queueMax: WAITING_MAX,
      pace: PACE,
      run: (keys) => this.belongHere(keys),
    });
  }

  /** False only where the key is known to have been used in another slot. */
  async belongsHere(key: KeyRef): Promise<boolean> {
    if (this.isAway()) return true;
    try {
      return await this.batcher.submit(key);
    } catch {
      return true;
    }
  }

  /** The same for many keys, in one round trip. */
  async belongHere(keys: readonly KeyRef[]): Promise<readonly boolean[]> {
    if (this.isAway()) return keys.map(() => true);
    try {
      const parts = partsOfCalls(keys).map((part) => this.ask(part));
      return (await Promise.all(parts)).flat();
    } catch {
      this.pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
      return keys.map(() => true);
    }
  }

  private isAway(): boolean {
    return !this.redis.available || performance.now() < this.pausedUntilMs;
  }

  private async ask(keys: readonly KeyRef[]): Promise<readonly boolean[]> {
    const names = keys.map(({ keyHash }) => `surety:key:${keyHash}`);
    const slots = keys.map(({ slot }) => slot);
    const { client } = this.redis;
    const foreign = await REMEMBER.run(client, names, [REMEMBERED_SECONDS, ...slots]);
    if (!Array.isArray(foreign)) throw new Error('redis gave no list of positions');
    const belongs = keys.map(() => true);
    for (const position of foreign) belongs[Number(position) - 1] = false;
    return belongs;
  }
}
