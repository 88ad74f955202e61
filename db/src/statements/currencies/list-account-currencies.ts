import type { CurrencyCode } from '@surety/domain';
import { readText } from '../../connection/cells.js';
import { linkSession, readRows, storeError } from '../../connection/session.js';
import type { Shard } from '../../shard-pools.js';

/** All accounts are read, once in the life of a shard: no other bound on an answer is long enough. */
const TIMEOUT_MS = 600_000;

/**
 * The currencies that accounts have, for a shard that has nothing written down about any.
 * Caller: ingress, at its first start on a database of an earlier release. Index: PRIMARY (id), all of
 * it, because no index has the currency. Locks: none. Rows: one for each currency.
 * @throws StoreError
 */
export async function listAccountCurrencies({
  id,
  pool,
}: Pick<Shard, 'id' | 'pool'>): Promise<readonly CurrencyCode[]> {
  const sql = 'SELECT DISTINCT currency FROM accounts ORDER BY currency';
  try {
    return await pool.use((link) =>
      readRows(linkSession(id, link, { timeoutMs: TIMEOUT_MS }), sql, (row) => readText(row[0])),
    );
  } catch (error) {
    throw storeError(error, 'a look at the currencies of accounts');
  }
}
