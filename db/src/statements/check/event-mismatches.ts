import type { Step, TransferId } from '@surety/domain';
import { readCount, readTextOrNull, readUuid } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface EventMismatch {
  readonly transferId: TransferId;
  readonly step: Step;
  /** null where there is no event. */
  readonly event: string | null;
  /** The decision's outcome or the transfer's state; null where there is no such row. */
  readonly row: string | null;
}

/**
 * Events without the row that they made, and decisions without their event: a decision and its event
 * are written together, and so are a transfer and its first one.
 * Caller: checks, in a snapshot. Index: PRIMARY of each table. Locks: none. Rows: at most OFFENDERS_MAX
 * of each kind.
 * @throws StoreError
 */
export async function eventMismatches(snapshot: Session): Promise<EventMismatch[]> {
  const limit = `LIMIT ${OFFENDERS_MAX}`;
  const results = await snapshot.send([
    'SELECT e.transfer_id, e.step, e.type, d.outcome FROM transfer_events AS e ' +
      'LEFT JOIN decisions AS d ON d.transfer_id = e.transfer_id AND d.part = 0 ' +
      'WHERE e.step = 30 AND (d.outcome IS NULL OR d.outcome <> e.type) ' +
      `ORDER BY e.transfer_id ${limit}`,
    'SELECT d.transfer_id, 30, NULL, d.outcome FROM decisions AS d ' +
      'LEFT JOIN transfer_events AS e ON e.transfer_id = d.transfer_id AND e.step = 30 ' +
      `WHERE e.step IS NULL ORDER BY d.transfer_id ${limit}`,
    'SELECT e.transfer_id, e.step, e.type, NULL FROM transfer_events AS e ' +
      'LEFT JOIN transfers AS t ON t.id = e.transfer_id ' +
      `WHERE e.step <> 30 AND t.id IS NULL ORDER BY e.transfer_id, e.step ${limit}`,
  ]);
  return results.flatMap(({ rows }) =>
    rows.map((row) => ({
      transferId: readUuid(row[0]),
      step: readCount(row[1]) as Step,
      event: readTextOrNull(row[2]),
      row: readTextOrNull(row[3]),
    })),
  );
}
