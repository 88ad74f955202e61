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
 * Takes the lease where nobody holds it, or its time is over; also from oneself, which tells a new
 * holding from the one before it.
 * Caller: relay, reconciler. Index: PRIMARY (name). Locks: the one row. Rows: one.
 * No affected row means that somebody holds it. `expires_at` is assigned last: the assignments before
 * it compare with the old one.
 * @throws StoreError
 */
export async function acquireLease(
  session: Session,
  { name, holder, ttlMs }: LeaseRequest,
): Promise<HeldLease | undefined> {
  const isOver = 'expires_at <= NOW(6)';
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
