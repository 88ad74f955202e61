import type { Timestamp } from '@surety/contracts';
import type { Changes } from '@surety/saga';
import { count, storedTextOrNull, time, word, wordOrNull } from '../../connection/literals.js';
import { ACCOUNT_COLUMNS } from '../rows/account-row.js';
import { sortedBy } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (id). Locks: the new rows, ascending by id. Rows: those of the
 * batch. An id that exists raises 1062: somebody else opened the account, and the whole is read again.
 */
export function insertAccounts(rows: Changes['accountsInserted'], now: Timestamp): string[] {
  if (rows.length === 0) return [];
  const values = sortedBy(rows, (row) => row.id).map(
    (row) =>
      `(${word(row.id)},${count(row.slot)},${word(row.type)},${wordOrNull(row.owner)},` +
      `${word(row.tenant)},${word(row.currency)},${word(row.status)},` +
      `${row.debitsBlocked ? 1 : 0},${row.creditsBlocked ? 1 : 0},${row.balance},${row.held},` +
      `${row.overdraftLimit},${row.version},${row.entrySeq},${storedTextOrNull(row.metadata)},` +
      `${time(now)})`,
  );
  return [
    `INSERT INTO accounts (${ACCOUNT_COLUMNS}, metadata, created_at) VALUES ${values.join(',')}`,
  ];
}
