import { balanceCopyKey, statusCopyKey } from '@surety/contracts';
import type { BalanceRow } from '@surety/db';
import { RedisScript, partsOfCalls } from '@surety/runtime';
import type { RedisHandle } from '@surety/runtime';
import type { EndRow, ProjectedRows } from './projected-rows.js';

const STATUS_TTL_MS = 60 * 60 * 1000;
const BALANCE_TTL_MS = 24 * 60 * 60 * 1000;

/**
 * Sets each copy unless a newer one is there. Versions are decimal text without leading zeros and
 * are compared by length, then by digits: a number in Lua is a double, which cannot tell
 * 9007199254740993 from its neighbour. The same version is written again: it says the same and
 * lives longer. ARGV: time to live in ms, then the copy for each key.
 *
 * A copy begins with its version, where it is found without decoding the whole; only a copy that
 * begins otherwise is decoded.
 */
const SET_UNLESS_OLDER = new RedisScript(`
local function decoded(stored)
  local readable, copy = pcall(cjson.decode, stored)
  if readable and type(copy) == 'table' and copy.version ~= nil then
    return tostring(copy.version)
  end
  return ''
end
local begins = '^{"version":"(%d+)"'
local written = 0
local all = redis.call('MGET', unpack(KEYS))
for i, key in ipairs(KEYS) do
  local stored = all[i]
  local copy = ARGV[i + 1]
  local isNewer = not stored
  if stored then
    local version = string.match(copy, begins)
    local known = string.match(stored, begins) or decoded(stored)
    isNewer = #version > #known or (#version == #known and version >= known)
  end
  if isNewer then
    redis.call('SET', key, copy, 'PX', ARGV[1])
    written = written + 1
  end
end
return written
`);

/**
 * Sets each copy, whatever is there: for ends, which nothing follows. One script costs less than as
 * many commands, here more than there. ARGV: time to live in ms, then the copy for each key.
 */
const SET_ENDS = new RedisScript(`
for i, key in ipairs(KEYS) do
  redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1])
end
return #KEYS
`);

interface Copy {
  readonly key: string;
  readonly text: string;
}

function statusCopyOf(row: EndRow): Copy {
  const { status, reason, updatedAt } = row;
  const version = row.version.toString();
  const text = JSON.stringify({ version, status, reason, updatedAt });
  return { key: statusCopyKey(row.transferId), text };
}

function balanceCopyOf(row: BalanceRow): Copy {
  const { currency, updatedAt } = row;
  const version = row.version.toString();
  const [balance, held] = [row.balance.toString(), row.held.toString()];
  const text = JSON.stringify({ version, balance, held, currency, updatedAt });
  return { key: balanceCopyKey(row.accountId), text };
}

/** Keeps the copies in Redis as new as the rows, and never makes one older. */
export class RedisCopies {
  readonly #redis: Pick<RedisHandle, 'client' | 'available'>;

  constructor(redis: Pick<RedisHandle, 'client' | 'available'>) {
    this.#redis = redis;
  }

  /**
   * Both kinds; returns how many copies were written: the others were newer already.
   * @throws Error where Redis is away; which copies were written is then unknown, and no matter
   */
  async write({ statuses, balances }: ProjectedRows): Promise<number> {
    const written = await Promise.all([
      this.writeEnds([...statuses.values()]),
      this.writeBalances([...balances.values()]),
    ]);
    return written.reduce((sum, count) => sum + count, 0);
  }

  /** Like `write`. */
  writeEnds(rows: readonly EndRow[]): Promise<number> {
    return this.#set(SET_ENDS, { copies: rows.map(statusCopyOf), ttlMs: STATUS_TTL_MS });
  }

  /** Like `write`. */
  writeBalances(rows: readonly BalanceRow[]): Promise<number> {
    return this.#set(SET_UNLESS_OLDER, { copies: rows.map(balanceCopyOf), ttlMs: BALANCE_TTL_MS });
  }

  async #set(
    script: RedisScript,
    { copies, ttlMs }: { readonly copies: readonly Copy[]; readonly ttlMs: number },
  ): Promise<number> {
    if (!this.#redis.available) throw new Error('redis is away');
    const written = await Promise.all(
      partsOfCalls(copies).map(async (part) => {
        const keys = part.map((copy) => copy.key);
        const texts = part.map((copy) => copy.text);
        return Number(await script.run(this.#redis.client, keys, [ttlMs, ...texts]));
      }),
    );
    return written.reduce((sum, count) => sum + count, 0);
  }
}
