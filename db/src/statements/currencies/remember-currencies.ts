import type { Currency } from '@surety/domain';
import { readCount, readText } from '../../connection/cells.js';
import { count, word } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { sortedBy } from '../transact/shape.js';

/**
 * Writes down those that are not yet, and gives all of them as they stand then: another process may
 * have been first, with other decimals. IGNORE hides nothing, because each row is read again.
 * Caller: ingress, before the first account of a currency. Index: PRIMARY (code). Locks: the new rows,
 * ascending by code, until the statement ends. Rows: those given. Fewer: they were there.
 * @throws StoreError
 */
export async function rememberCurrencies(
  session: Session,
  currencies: readonly Currency[],
): Promise<readonly Currency[]> {
  if (currencies.length === 0) return [];
  const sorted = sortedBy(currencies, ({ code }) => code);
  const values = sorted.map(({ code, exponent }) => `(${word(code)}, ${count(exponent)})`);
  const codes = sorted.map(({ code }) => word(code));
  const [, stored] = await session.send([
    `INSERT IGNORE INTO currencies (code, decimals) VALUES ${values.join(', ')}`,
    `SELECT code, decimals FROM currencies WHERE code IN (${codes.join(', ')}) ORDER BY code`,
  ]);
  return (stored?.rows ?? []).map((row) => ({
    code: readText(row[0]),
    exponent: readCount(row[1]),
  }));
}
