import { readBigint } from '../../connection/cells.js';
import { count, text, word } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';

export interface LeaseRequest {
  /** What is led, for instance `relay:0`. */
  readonly name: string;
  /** Who wants to lead it: unique to a process instance. */
  readonly holder: string;
  readonly ttlMs: number;
}

export interface HeldLease {
  /** Rises at each acquisition: whoever meets a larger one knows that its own holding is over. */
  readonly token: bigint;
}

const MICROSECONDS_PER_MS = 1_000;

/** The end of a holding that begins now, by the database's clock. */
export function leaseEnd(ttlMs: number): string {
  return `NOW(6) + INTERVAL ${count(Math.round(ttlMs * MICROSECONDS_PER_MS))} MICROSECOND`;
}

/**
 * Takes the lease where nobody holds it, its time is over, or the holder of that name asks again: a
 * process that was killed and started anew need not wait for its own end. A new holding has a new
 * token in every case.
 * Caller: relay, reconciler. Index: PRIMARY (name). Locks: the one row. Rows: one.
 * No affected row means that somebody holds it. Assignments are made from left to right: the token
 * sees the old holder and the old end; behind it, the holder's name is one's own where it was over.
 * @throws StoreError
 */
export async function acquireLease(
  session: Session,
  { name, holder, ttlMs }: LeaseRequest,
): Promise<HeldLease | undefined> {
  const isOver = `(expires_at <= NOW(6) OR holder = ${text(holder)})`;
  const [taken, held] = await session.send([
    'INSERT INTO leases (name, holder, token, expires_at) ' +
      `VALUES (${word(name)}, ${text(holder)}, 1, ${leaseEnd(ttlMs)}) ON DUPLICATE KEY UPDATE ` +
      `token = IF(${isOver}, token + 1, token), ` +
      `holder = IF(${isOver}, ${text(holder)}, holder), ` +
      `expires_at = IF(${isOver}, ${leaseEnd(ttlMs)}, expires_at)`,
    `SELECT token FROM leases WHERE name = ${word(name)} AND holder = ${text(holder)}`,
  ]);
  const row = held?.rows[0];
  return taken && taken.affectedRows > 0 && row ? { token: readBigint(row[0]) } : undefined;
}
