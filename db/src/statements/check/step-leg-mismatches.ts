import type { Step, TransferId } from '@surety/domain';
import { readCount, readUuid } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface StepLegMismatch {
  readonly transferId: TransferId;
  readonly step: Step;
  readonly what: 'missing' | 'unexpected' | 'number';
}

const LIMIT = `LIMIT ${OFFENDERS_MAX}`;

/** Steps that posted by their row, and have no leg of that account and amount. */
const MISSING = [
  'SELECT d.transfer_id, 30 FROM decisions AS d LEFT JOIN ledger_entries AS l FORCE INDEX (PRIMARY) ' +
    'ON l.transfer_id = d.transfer_id AND l.step = 30 AND l.account_id = d.destination ' +
    'AND l.amount = d.amount AND l.currency = d.currency AND l.slot = d.slot ' +
    `WHERE d.outcome = 'credited' AND l.transfer_id IS NULL ORDER BY d.transfer_id ${LIMIT}`,
  'SELECT t.id, 40 FROM transfers AS t LEFT JOIN ledger_entries AS l FORCE INDEX (PRIMARY) ' +
    'ON l.transfer_id = t.id AND l.step = 40 AND l.account_id = t.source ' +
    'AND l.amount = -t.amount AND l.currency = t.currency AND l.slot = t.slot ' +
    `WHERE t.state = 'committed' AND l.transfer_id IS NULL ORDER BY t.id ${LIMIT}`,
  'SELECT t.id, 40 FROM transfers AS t LEFT JOIN ledger_entries AS l FORCE INDEX (PRIMARY) ' +
    'ON l.transfer_id = t.id AND l.step = 40 AND l.account_id = t.destination ' +
    'AND l.amount = t.amount AND l.currency = t.currency AND l.slot = t.slot ' +
    "WHERE t.state = 'committed' AND t.kind = 'funding' AND l.transfer_id IS NULL " +
    `ORDER BY t.id ${LIMIT}`,
];

/** Legs that no decision and no transfer has made. */
const UNEXPECTED = [
  'SELECT DISTINCT l.transfer_id, l.step FROM ledger_entries AS l LEFT JOIN decisions AS d FORCE INDEX (PRIMARY) ' +
    "ON d.transfer_id = l.transfer_id AND d.part = 0 AND d.outcome = 'credited' " +
    'AND d.amount = ABS(l.amount) AND d.currency = l.currency AND d.slot = l.slot ' +
    `WHERE l.step = 30 AND d.transfer_id IS NULL ORDER BY l.transfer_id ${LIMIT}`,
  'SELECT DISTINCT l.transfer_id, l.step FROM ledger_entries AS l LEFT JOIN transfers AS t FORCE INDEX (PRIMARY) ' +
    "ON t.id = l.transfer_id AND t.state = 'committed' AND l.step = 40 " +
    'AND t.amount = ABS(l.amount) AND t.currency = l.currency AND t.slot = l.slot ' +
    `WHERE l.step <> 30 AND t.id IS NULL ORDER BY l.transfer_id, l.step ${LIMIT}`,
];

/** A step that posts has two legs, one on an account and the other against it. */
const NUMBER =
  'SELECT transfer_id, step FROM ledger_entries GROUP BY transfer_id, step ' +
  `HAVING COUNT(*) <> 2 ORDER BY transfer_id, step ${LIMIT}`;

/**
 * Steps whose legs are not those that their decision or their transfer made: errors that balance each
 * other in every sum, too.
 * Caller: checks, in a snapshot. Index: PRIMARY of the three tables, each scanned once or twice. Locks:
 * none. Rows: at most OFFENDERS_MAX of each kind.
 * @throws StoreError
 */
export async function stepLegMismatches(snapshot: Session): Promise<StepLegMismatch[]> {
  const results = await snapshot.send([...MISSING, ...UNEXPECTED, NUMBER]);
  return results.flatMap(({ rows }, at) =>
    rows.map((row) => ({
      transferId: readUuid(row[0]),
      step: readCount(row[1]) as Step,
      what: whatOf(at),
    })),
  );
}

function whatOf(at: number): StepLegMismatch['what'] {
  if (at < MISSING.length) return 'missing';
  return at < MISSING.length + UNEXPECTED.length ? 'unexpected' : 'number';
}
