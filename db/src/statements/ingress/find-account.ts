import type { Timestamp } from '@surety/contracts';
import type { Account, AccountId } from '@surety/domain';
import { readTextOrNull, readTime } from '../../connection/cells.js';
import { word } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { ACCOUNT_COLUMNS, readAccountRow } from '../rows/account-row.js';

export interface StoredAccount extends Account {
  /** JSON as the client gave it, or null. */
  readonly metadata: string | null;
  readonly createdAt: Timestamp;
}

/**
 * Caller: ingress, CLI. Index: PRIMARY (id). Locks: none. Rows: at most one.
 * @throws StoreError
 */
export async function findAccount(
  session: Session,
  id: AccountId,
): Promise<StoredAccount | undefined> {
  const sql =
    `SELECT ${ACCOUNT_COLUMNS}, metadata, created_at FROM accounts ` + `WHERE id = ${word(id)}`;
  const rows = await readRows(session, sql, (row) => ({
    ...readAccountRow(row),
    metadata: readTextOrNull(row[14]),
    createdAt: readTime(row[15]),
  }));
  return rows[0];
}
