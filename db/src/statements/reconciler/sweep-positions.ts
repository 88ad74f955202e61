import type { Timestamp } from '@surety/contracts';
import { readText, readTime } from '../../connection/cells.js';
import { text, word } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';

export interface SweepPositions {
  /** The database's time. */
  readonly now: Timestamp;
  readonly positions: ReadonlyMap<string, string>;
}

/**
 * Caller: reconciler. Index: PRIMARY (name), the whole table: one row for each walk. Locks: none.
 * @throws StoreError
 */
export async function readSweepPositions(session: Session): Promise<SweepPositions> {
  const [clock, rows] = await session.send([
    'SELECT NOW(6)',
    'SELECT name, position FROM sweep_positions',
  ]);
  const positions = (rows?.rows ?? []).map((row) => [readText(row[0]), readText(row[1])] as const);
  return { now: readTime(clock?.rows[0]?.[0]), positions: new Map(positions) };
}

/**
 * An empty position is the head. Losing one only means to walk the same rows again.
 * Caller: reconciler. Index: PRIMARY (name). Locks: those rows. Rows: one for each walk.
 * @throws StoreError
 */
export async function writeSweepPositions(
  session: Session,
  positions: ReadonlyMap<string, string>,
): Promise<void> {
  if (positions.size === 0) return;
  const values = [...positions].map(([name, position]) => `(${word(name)}, ${text(position)})`);
  await session.send([
    `INSERT INTO sweep_positions (name, position) VALUES ${values.join(', ')} ` +
      'ON DUPLICATE KEY UPDATE position = VALUES(position)',
  ]);
}
