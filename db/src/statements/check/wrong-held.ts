import type { AccountId } from '@surety/domain';
import { readBigint, readBigintOrNull, readText } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface WrongHeld {
  readonly id: AccountId;
  /** null where holds are on an account that has no row. */
  readonly held: bigint | null;
  readonly holdsSum: bigint;
  readonly holds: bigint;
}

/**
 * Accounts whose held is not the sum of their holds.
 * Caller: checks, in a snapshot. Index: a scan of holds (open ones only) and of accounts. Locks: none.
 * Rows: at most OFFENDERS_MAX of each kind.
 * @throws StoreError
 */
export async function wrongHeld(snapshot: Session): Promise<WrongHeld[]> {
  const sums =
    '(SELECT account_id, SUM(amount) AS total, COUNT(*) AS holds FROM holds GROUP BY account_id) AS h';
  const results = await snapshot.send([
    'SELECT a.id, a.held, COALESCE(h.total, 0), COALESCE(h.holds, 0) FROM accounts AS a ' +
      `LEFT JOIN ${sums} ON h.account_id = a.id WHERE a.held <> COALESCE(h.total, 0) ` +
      `ORDER BY a.id LIMIT ${OFFENDERS_MAX}`,
    `SELECT h.account_id, NULL, h.total, h.holds FROM ${sums} ` +
      'LEFT JOIN accounts AS a ON a.id = h.account_id WHERE a.id IS NULL ' +
      `ORDER BY h.account_id LIMIT ${OFFENDERS_MAX}`,
  ]);
  return results.flatMap(({ rows }) =>
    rows.map((row) => ({
      id: readText(row[0]),
      held: readBigintOrNull(row[1]),
      holdsSum: readBigint(row[2]),
      holds: readBigint(row[3]),
    })),
  );
}
