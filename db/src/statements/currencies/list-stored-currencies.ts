import type { Currency } from '@surety/domain';
import { readCount, readText } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

/**
 * Caller: ingress at its start and by its readiness, reconciler at its start, the command. Index:
 * PRIMARY (code), the whole table: a row for each currency of accounts. Locks: none.
 * @throws StoreError
 */
export function listStoredCurrencies(session: Session): Promise<readonly Currency[]> {
  return readRows(session, 'SELECT code, decimals FROM currencies ORDER BY code', (row) => ({
    code: readText(row[0]),
    exponent: readCount(row[1]),
  }));
}
