import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

/** Redis does nothing else while a script runs: each call stays far below a millisecond. */
const KEYS_PER_CALL = 100;

/** What is for many keys, cut so that each part is one call's. */
export function partsOfCalls<T>(items: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / KEYS_PER_CALL);
  return Array.from({ length: count }, (_, at) =>
    items.slice(at * KEYS_PER_CALL, (at + 1) * KEYS_PER_CALL),
  );
}

/** A Lua script that Redis is sent once and knows by its hash afterwards. */
export class RedisScript {
  readonly #text: string;
  readonly #sha: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha = createHash('sha1').update(text).digest('hex');
  }

  /**
   * Runs it in one round trip, or two where Redis does not know it (any more).
   * @throws Error where Redis is away, does not answer in time or the script fails; whether it ran
   *   is then unknown
   */
  async run(
    client: Pick<Redis, 'evalsha' | 'eval'>,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    const call = [...keys, ...values];
    try {
      return await client.evalsha(this.#sha, keys.length, ...call);
    } catch (error) {
      // A Redis that was started anew knows no scripts.
      if (!isUnknownScript(error)) throw error;
      return client.eval(this.#text, keys.length, ...call);
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
