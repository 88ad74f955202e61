import type { AccountId, CurrencyCode } from '@surety/domain';
import { readText } from '../../connection/cells.js';
import { word } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { chunksOf, inLockOrder } from '../transact/shape.js';

/**
 * The currencies of those of the accounts that exist.
 * Caller: ingress. Index: PRIMARY (id). Locks: none. Rows: at most those asked for, in one round trip.
 * @throws StoreError
 */
export async function listCurrencies(
  session: Session,
  ids: readonly AccountId[],
): Promise<ReadonlyMap<AccountId, CurrencyCode>> {
  if (ids.length === 0) return new Map();
  const statements = chunksOf(inLockOrder(ids)).map(
    (chunk) =>
      'SELECT id, currency FROM accounts FORCE INDEX (PRIMARY) ' +
      `WHERE id IN (${chunk.map(word).join(', ')}) ORDER BY id`,
  );
  const results = await session.send(statements);
  return new Map(
    results.flatMap(({ rows }) => rows.map((row) => [readText(row[0]), readText(row[1])] as const)),
  );
}
