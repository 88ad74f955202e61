import type { Account, AccountId } from '@surety/domain';
import { word } from '../../connection/literals.js';
import { ACCOUNT_COLUMNS, readAccountRow } from '../rows/account-row.js';
import { chunksOf, inLockOrder } from './shape.js';
import type { LockRead } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (id). Locks: the rows that exist, exclusively, ascending by id;
 * last of all lock reads. Rows: at most VALUES_MAX a statement.
 */
export function lockAccounts(ids: readonly AccountId[]): LockRead<Account> {
  const statements = chunksOf(inLockOrder(ids)).map(
    (chunk) =>
      `SELECT ${ACCOUNT_COLUMNS} FROM accounts FORCE INDEX (PRIMARY) ` +
      `WHERE id IN (${chunk.map(word).join(', ')}) ORDER BY id FOR UPDATE`,
  );
  return { statements, read: readAccountRow };
}
