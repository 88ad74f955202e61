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
/** Bounds what is asked for together while Redis is slow; beyond both, nothing is known of a key. */
const GATHERED_MAX = 1_000;
const WAITING_MAX = 10_000;

/**
 * Sets each key unless it is there, and names the positions of those that were: first those set by
 * the same slot, then those set by another one.
 * ARGV: time to live in seconds, then the slot for each key.
 */
const REMEMBER = new RedisScript(`
local here = {}
local elsewhere = {}
for i, key in ipairs(KEYS) do
  local slot = ARGV[i + 1]
  if not redis.call('SET', key, slot, 'EX', ARGV[1], 'NX') then
    local known = redis.call('GET', key) == slot and here or elsewhere
    known[#known + 1] = i
  end
end
return {here, elsewhere}
`);

/** What is remembered of the use of a key before it is used now. */
export type EarlierUse =
  /** Redis has answered, and had not heard of the key: most likely nobody has used it. */
  | 'none'
  /** Used in this slot: the rows know for what. */
  | 'here'
  /** Used in another slot, whose rows nobody reads for this request. */
  | 'elsewhere'
  /** Redis was away, failed or was not asked: nothing follows from this. */
  | 'unknown';

/**
 * Remembers in which slot a key was used first. Within a slot the rows of MySQL decide, and the
 * memory only says whether it is worth looking for one; across slots it is the only guard, it is a
 * courtesy and may be lost: a client that uses one key for two sources makes two transfers then.
 *
 * The keys of requests that come at the same time are asked for together: a command of its own for
 * each costs more than all the rest of what is done about a key.
 */
export class KeyMemory {
  private readonly redis: Pick<RedisHandle, 'client' | 'available'>;
  private readonly batcher: Batcher<KeyRef, EarlierUse>;
  private pausedUntilMs = 0;

  constructor(redis: Pick<RedisHandle, 'client' | 'available'>) {
    this.redis = redis;
    this.batcher = new Batcher({
      weightMax: GATHERED_MAX,
      queueMax: WAITING_MAX,
      pace: PACE,
      run: (keys) => this.rememberAll(keys),
    });
  }

  /**
   * What is known of the key, which is not remembered by this. For requests that may still be refused:
   * a refused one leaves no key, and what they store is remembered once it is stored. Of two with one
   * key that come for two slots at the same moment both may learn `none`.
   */
  async lookUp({ slot, keyHash }: KeyRef): Promise<EarlierUse> {
    if (this.isAway()) return 'unknown';
    try {
      const known = await this.redis.client.get(nameOf(keyHash));
      if (known === null) return 'none';
      return known === String(slot) ? 'here' : 'elsewhere';
    } catch {
      this.pause();
      return 'unknown';
    }
  }

  /** Remembers the key from now on, unless it is already, and tells what was known of it before. */
  async remember(key: KeyRef): Promise<EarlierUse> {
    if (this.isAway()) return 'unknown';
    try {
      return await this.batcher.submit(key);
    } catch {
      return 'unknown';
    }
  }

  /** The same for many keys, in one round trip. Equal keys count as used from the second on. */
  async rememberAll(keys: readonly KeyRef[]): Promise<readonly EarlierUse[]> {
    if (this.isAway()) return keys.map(() => 'unknown');
    return (await Promise.all(partsOfCalls(keys).map((part) => this.askOrPass(part)))).flat();
  }

  private isAway(): boolean {
    return !this.redis.available || performance.now() < this.pausedUntilMs;
  }

  private pause(): void {
    this.pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
  }

  /**
   * Of a call that failed some keys may be remembered from now on, others not. Their rows are looked
   * for; only a use in another slot that Redis could have told of goes unnoticed.
   */
  private async askOrPass(keys: readonly KeyRef[]): Promise<readonly EarlierUse[]> {
    try {
      return await this.ask(keys);
    } catch {
      this.pause();
      return keys.map(() => 'unknown');
    }
  }

  private async ask(keys: readonly KeyRef[]): Promise<readonly EarlierUse[]> {
    const names = keys.map(({ keyHash }) => nameOf(keyHash));
    const slots = keys.map(({ slot }) => slot);
    const { client } = this.redis;
    const answer = await REMEMBER.run(client, names, [REMEMBERED_SECONDS, ...slots]);
    const [here, elsewhere] = positionsIn(answer);
    const uses = keys.map((): EarlierUse => 'none');
    for (const position of here) uses[position - 1] = 'here';
    for (const position of elsewhere) uses[position - 1] = 'elsewhere';
    return uses;
  }
}

function nameOf(keyHash: string): string {
  return `surety:key:${keyHash}`;
}

/** An answer of another shape is none: absence is believed of nothing else. */
function positionsIn(answer: unknown): readonly [readonly number[], readonly number[]] {
  const [here, elsewhere] = Array.isArray(answer) ? (answer as unknown[]) : [];
  if (!Array.isArray(here) || !Array.isArray(elsewhere)) {
    throw new Error('redis gave no lists of positions');
  }
  return [here.map(Number), elsewhere.map(Number)];
}
