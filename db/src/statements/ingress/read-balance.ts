import type { AccountId } from '@surety/domain';
import { word } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { BALANCE_COLUMNS, readBalanceRow } from '../rows/projection-rows.js';
import type { BalanceRow } from '../rows/projection-rows.js';

/**
 * The projected balance: it may be behind the account's row, never ahead of it.
 * Caller: ingress. Index: PRIMARY (account_id). Locks: none. Rows: at most one.
 * @throws StoreError
 */
export async function readBalance(
  session: Session,
  id: AccountId,
): Promise<BalanceRow | undefined> {
  const sql = `SELECT ${BALANCE_COLUMNS} FROM balances WHERE account_id = ${word(id)}`;
  return (await readRows(session, sql, readBalanceRow))[0];
}
