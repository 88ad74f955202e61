import { readBigint, readBigintOrNull, readHex, readText } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface StrayProjection {
  readonly table: 'balances' | 'transaction_status';
  /** An account's id, or the 32 hex digits of a transfer's. */
  readonly key: string;
  readonly version: bigint;
  /** null where the projected row does not exist. */
  readonly truthVersion: bigint | null;
}

const STRAY_BALANCES =
  'SELECT b.account_id, b.version, NULL FROM balances AS b ' +
  'LEFT JOIN accounts AS a ON a.id = b.account_id WHERE a.id IS NULL ' +
  `ORDER BY b.account_id LIMIT ${OFFENDERS_MAX}`;

/**
 * Projected balances of accounts that do not exist.
 * Caller: checks, in a snapshot. Index: a scan of balances, PRIMARY of accounts. Locks: none. Rows: at
 * most OFFENDERS_MAX.
 * @throws StoreError
 */
export async function strayBalances(snapshot: Session): Promise<StrayProjection[]> {
  const [balances] = await snapshot.send([STRAY_BALANCES]);
  return (balances?.rows ?? []).map((row) => strayOf('balances', readText(row[0]), row));
}

/**
 * Projections of what does not exist, and statuses that claim a step which was not taken.
 * Caller: checks, in a snapshot. Index: a scan of each projection, PRIMARY of the truth. Locks: none.
 * Rows: at most OFFENDERS_MAX of each kind.
 * @throws StoreError
 */
export async function strayProjections(snapshot: Session): Promise<StrayProjection[]> {
  const [balances, statuses] = await snapshot.send([
    STRAY_BALANCES,
    'SELECT transfer_id, version, last_step FROM (SELECT s.transfer_id, s.version, ' +
      '(SELECT MAX(e.step) FROM transfer_events AS e ' +
      'WHERE e.transfer_id = s.transfer_id AND e.step <> 30) AS last_step ' +
      'FROM transaction_status AS s) AS status ' +
      'WHERE last_step IS NULL OR version > last_step ' +
      `ORDER BY transfer_id LIMIT ${OFFENDERS_MAX}`,
  ]);
  return [
    ...(balances?.rows ?? []).map((row) => strayOf('balances', readText(row[0]), row)),
    ...(statuses?.rows ?? []).map((row) => strayOf('transaction_status', readHex(row[0]), row)),
  ];
}

function strayOf(table: StrayProjection['table'], key: string, row: Row): StrayProjection {
  return { table, key, version: readBigint(row[1]), truthVersion: readBigintOrNull(row[2]) };
}
