import { changeRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

/** Rows of one delete: bounds how long its locks hold up the projector. */
export const ROWS_PER_CLEAR = 5_000;

/**
 * Removes every projected row, in steps of their own. TRUNCATE would need the right to drop tables.
 * Caller: rebuild. Index: PRIMARY. Locks: the rows of one step. Rows: ROWS_PER_CLEAR a step.
 * @throws StoreError
 */
export async function clearProjections(session: Session): Promise<void> {
  const statements = [
    `DELETE FROM balances ORDER BY account_id LIMIT ${ROWS_PER_CLEAR}`,
    `DELETE FROM transaction_status ORDER BY transfer_id LIMIT ${ROWS_PER_CLEAR}`,
  ];
  for (const sql of statements) {
    while ((await changeRows(session, sql)) === ROWS_PER_CLEAR);
  }
}
