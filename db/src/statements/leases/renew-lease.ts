import { text, word } from '../../connection/literals.js';
import { changeRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { leaseEnd } from './acquire-lease.js';
import type { HeldLease, LeaseRequest } from './acquire-lease.js';

/**
 * Caller: the holder. Index: PRIMARY (name). Locks: the one row. Rows: one.
 * @returns false where the holding is over, whoever has the lease now
 * @throws StoreError
 */
export async function renewLease(
  session: Session,
  { name, holder, ttlMs, token }: LeaseRequest & HeldLease,
): Promise<boolean> {
  const sql =
    `UPDATE leases SET expires_at = ${leaseEnd(ttlMs)} ` +
    `WHERE name = ${word(name)} AND holder = ${text(holder)} AND token = ${token} ` +
    'AND expires_at > NOW(6)';
  return (await changeRows(session, sql)) === 1;
}
