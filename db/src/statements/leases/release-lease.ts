import { text, word } from '../../connection/literals.js';
import { changeRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import type { HeldLease, LeaseRequest } from './acquire-lease.js';

/**
 * Ends a holding so that the next one need not wait for its time to be over. The row stays: tokens
 * only rise.
 * Caller: the holder. Index: PRIMARY (name). Locks: the one row. Rows: one; none where the holding is
 * over already.
 * @throws StoreError
 */
export async function releaseLease(
  session: Session,
  { name, holder, token }: Pick<LeaseRequest, 'name' | 'holder'> & HeldLease,
): Promise<void> {
  const sql =
    'UPDATE leases SET expires_at = NOW(6) ' +
    `WHERE name = ${word(name)} AND holder = ${text(holder)} AND token = ${token}`;
  await changeRows(session, sql);
}
