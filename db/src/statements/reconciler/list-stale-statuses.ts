import type { Reason, TransferId, TransferStatus } from '@surety/domain';
import {
  readCount,
  readText,
  readTextOrNull,
  readTimeOrNull,
  readUuid,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { count, uuid } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { STATUS_DIFFERS } from '../rows/projection-rows.js';
import type { StatusRow } from '../rows/projection-rows.js';
import { toldByEvent } from '../rows/told-by-event.js';

/** A status projection that says something else than its transfer. */
export interface StaleStatusRow {
  /**
   * What the transfer says, which an end is projected as and nothing else is; undefined where no event
   * of the transfer says its state.
   */
  readonly truth: StatusRow | undefined;
  readonly transferId: TransferId;
  readonly slot: number;
  /** null where there is no projection. */
  readonly projectedStatus: string | null;
  readonly projectedVersion: number | null;
}

export interface StaleStatusPage {
  readonly stale: readonly StaleStatusRow[];
  /** The last transfer that was looked at; undefined at the end of the table. */
  readonly next: TransferId | undefined;
}

/** The reason that an event `e` gives; NULL where it gives none or cannot be read. */
export const TOLD_REASON = `CASE WHEN JSON_VALID(e.envelope) = 1 THEN ${toldByEvent('reason')} END`;

/**
 * Of `limit` transfers in the order of their ids, those whose projection differs. One that is under way
 * needs none.
 * Caller: reconciler. Index: PRIMARY of transfers, a range; PRIMARY of transaction_status and of
 * transfer_events for each of the page. Locks: none. Rows: at most `limit`, in one round trip.
 * @throws StoreError
 */
export async function listStaleStatuses(
  session: Session,
  after: TransferId | undefined,
  limit: number,
): Promise<StaleStatusPage> {
  const range = after === undefined ? '' : `WHERE id > ${uuid(after)} `;
  const page = `FROM transfers FORCE INDEX (PRIMARY) ${range}ORDER BY id LIMIT`;
  const [stale, last] = await session.send([
    'SELECT t.id, t.slot, t.state, t.reason, e.step, e.occurred_at, s.status, s.version, e.type, ' +
      `${TOLD_REASON} ` +
      `FROM (SELECT id, slot, state, reason ${page} ${count(limit)}) AS t ` +
      'LEFT JOIN transaction_status AS s FORCE INDEX (PRIMARY) ON s.transfer_id = t.id ' +
      'LEFT JOIN transfer_events AS e FORCE INDEX (PRIMARY) ON e.transfer_id = t.id AND e.step = ' +
      '(SELECT MAX(m.step) FROM transfer_events AS m FORCE INDEX (PRIMARY) ' +
      'WHERE m.transfer_id = t.id AND m.step <> 30) ' +
      `WHERE ${STATUS_DIFFERS}`,
    `SELECT id ${page} ${count(limit - 1)}, 1`,
  ]);
  const end = last?.rows[0];
  return {
    stale: (stale?.rows ?? []).map(readStale),
    next: end ? readUuid(end[0]) : undefined,
  };
}

function readStale(row: Row): StaleStatusRow {
  const updatedAt = readTimeOrNull(row[5]);
  // A state or reason that was altered is not copied: reconcile run judges it.
  const isSaid =
    updatedAt !== null &&
    readText(row[8]) === readText(row[2]) &&
    readTextOrNull(row[9]) === readTextOrNull(row[3]);
  const [transferId, slot] = [readUuid(row[0]), readCount(row[1])];
  const truth: StatusRow | undefined = !isSaid
    ? undefined
    : {
        ...{ transferId, slot, updatedAt },
        status: readText(row[2]) as TransferStatus,
        reason: readTextOrNull(row[3]) as Reason | null,
        version: readCount(row[4]),
      };
  const projectedVersion = row[7] === null ? null : readCount(row[7]);
  return { truth, transferId, slot, projectedStatus: readTextOrNull(row[6]), projectedVersion };
}
