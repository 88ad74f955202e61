import { readBigint, readCount } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';

export interface OutboxDepth {
  /** Rows that wait, counted up to OUTBOX_COUNT_MAX. */
  readonly rows: number;
  /** Age of the first row by the database's clock; 0 where there is none. */
  readonly oldestAgeSeconds: number;
}

/** Bounds the scan when a backlog has grown: what is beyond is only known to be more. */
export const OUTBOX_COUNT_MAX = 20_000;

const MICROSECONDS = 1e6;

/**
 * Caller: relay's gauges, reconciler. Index: PRIMARY (seq). Locks: none. Rows: two numbers over at
 * most OUTBOX_COUNT_MAX rows.
 * @throws StoreError
 */
export async function outboxDepth(session: Session): Promise<OutboxDepth> {
  const [counted, oldest] = await session.send([
    `SELECT COUNT(*) FROM (SELECT seq FROM outbox ORDER BY seq LIMIT ${OUTBOX_COUNT_MAX}) AS waiting`,
    'SELECT TIMESTAMPDIFF(MICROSECOND, created_at, NOW(6)) FROM outbox ORDER BY seq LIMIT 1',
  ]);
  const age = oldest?.rows[0]?.[0];
  const ageMicroseconds = age === undefined ? 0 : Number(readBigint(age));
  return {
    rows: readCount(counted?.rows[0]?.[0]),
    oldestAgeSeconds: Math.max(0, ageMicroseconds / MICROSECONDS),
  };
}
