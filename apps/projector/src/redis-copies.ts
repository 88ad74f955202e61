import { balanceCopyKey, statusCopyKey } from '@surety/contracts';
import type { BalanceRow, StatusRow } from '@surety/db';
import { RedisScript } from '@surety/runtime';
import type { RedisHandle } from '@surety/runtime';
import type { ProjectedRows } from './projected-rows.js';

const STATUS_TTL_MS = 60 * 60 * 1000;
const BALANCE_TTL_MS = 24 * 60 * 60 * 1000;
/** Redis does nothing else while a script runs: each call stays far below a millisecond. */
const KEYS_PER_CALL = 100;

/**
 * Sets each copy unless a newer one is there. Versions are decimal text without leading zeros and
 * are compared by length, then by digits: a number in Lua is a double, which cannot tell
 * 9007199254740993 from its neighbour. The same version is written again: it says the same and
 * lives longer. ARGV: time to live in ms, then version and copy for each key.
 */
const SET_UNLESS_OLDER = new RedisScript(`
local written = 0
for i, key in ipairs(KEYS) do
  local version = ARGV[2 * i]
  local known = ''
  local stored = redis.call('GET', key)
  if stored then
    local readable, copy = pcall(cjson.decode, stored)
    if readable and type(copy) == 'table' and copy.version ~= nil then
      known = tostring(copy.version)
    end
  end
  if #version > #known or (#version == #known and version >= known) then
    redis.call('SET', key, ARGV[2 * i + 1], 'PX', ARGV[1])
    written = written + 1
  end
end
return written
`);

interface Copy {
  readonly key: string;
  readonly version: string;
  readonly text: string;
}

function statusCopyOf(row: StatusRow): Copy {
  const { status, reason, updatedAt } = row;
  const version = row.version.toString();
  const text = JSON.stringify({ status, reason, version, updatedAt });
  return { key: statusCopyKey(row.transferId), version, text };
}

function balanceCopyOf(row: BalanceRow): Copy {
  const { currency, updatedAt } = row;
  const version = row.version.toString();
  const [balance, held] = [row.balance.toString(), row.held.toString()];
  const text = JSON.stringify({ balance, held, version, currency, updatedAt });
  return { key: balanceCopyKey(row.accountId), version, text };
}

/** Keeps the copies in Redis as new as the rows, and never makes one older. */
export class RedisCopies {
  readonly #redis: Pick<RedisHandle, 'client' | 'available'>;

  constructor(redis: Pick<RedisHandle, 'client' | 'available'>) {
    this.#redis = redis;
  }

  /**
   * Returns how many copies were written; the others were newer already.
   * @throws Error where Redis is away; which copies were written is then unknown, and no matter
   */
  async write(rows: ProjectedRows): Promise<number> {
    if (!this.#redis.available) throw new Error('redis is away');
    const statuses = Array.from(rows.statuses.values(), statusCopyOf);
    const balances = Array.from(rows.balances.values(), balanceCopyOf);
    const written = await Promise.all([
      ...chunks(statuses).map((chunk) => this.#set(chunk, STATUS_TTL_MS)),
      ...chunks(balances).map((chunk) => this.#set(chunk, BALANCE_TTL_MS)),
    ]);
    return written.reduce((sum, count) => sum + count, 0);
  }

  async #set(copies: readonly Copy[], ttlMs: number): Promise<number> {
    const keys = copies.map((copy) => copy.key);
    const values = copies.flatMap((copy) => [copy.version, copy.text]);
    const written = await SET_UNLESS_OLDER.run(this.#redis.client, keys, [ttlMs, ...values]);
    return Number(written);
  }
}

function chunks(copies: readonly Copy[]): (readonly Copy[])[] {
  const count = Math.ceil(copies.length / KEYS_PER_CALL);
  return Array.from({ length: count }, (_, at) =>
    copies.slice(at * KEYS_PER_CALL, (at + 1) * KEYS_PER_CALL),
  );
}
