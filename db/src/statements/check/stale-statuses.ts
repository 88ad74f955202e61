import type { TransferId, TransferStatus } from '@surety/domain';
import { readText, readTextOrNull, readUuid } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { ENDS, STATUS_DIFFERS } from '../rows/projection-rows.js';
import { OFFENDERS_MAX } from './bound.js';

export interface StaleStatus {
  readonly id: TransferId;
  readonly state: TransferStatus;
  readonly reason: string | null;
  /** null where there is no projection. */
  readonly projectedStatus: TransferStatus | null;
  readonly projectedReason: string | null;
  /** The number of the step that was projected last, or null. */
  readonly projectedVersion: number | null;
  /** The number of the source's last own step: what the projection will come to. */
  readonly version: number | null;
}

/**
 * Ended transfers without a projection, and transfers whose projection says something else than their
 * row: behind where its version is smaller and it tells no end, else wrong.
 * Caller: checks, in a snapshot. Index: PRIMARY of each table. Locks: none. Rows: at most
 * OFFENDERS_MAX, those that are wrong rather than behind on top.
 * @throws StoreError
 */
export function staleStatuses(snapshot: Session): Promise<StaleStatus[]> {
  const lastStep =
    '(SELECT MAX(e.step) FROM transfer_events AS e WHERE e.transfer_id = t.id AND e.step <> 30)';
  const sql =
    'SELECT id, state, reason, status, projected_reason, version, last_step FROM (' +
    'SELECT t.id, t.state, t.reason, s.status, s.reason AS projected_reason, s.version, ' +
    `${lastStep} AS last_step FROM transfers AS t ` +
    'LEFT JOIN transaction_status AS s ON s.transfer_id = t.id ' +
    `WHERE ${STATUS_DIFFERS}) AS stale ` +
    `ORDER BY (COALESCE(version, -1) >= last_step OR COALESCE(status IN ${ENDS}, FALSE)) DESC, ` +
    `id LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    id: readUuid(row[0]),
    state: readText(row[1]) as TransferStatus,
    reason: readTextOrNull(row[2]),
    projectedStatus: readTextOrNull(row[3]) as TransferStatus | null,
    projectedReason: readTextOrNull(row[4]),
    projectedVersion: row[5] === null ? null : Number(row[5]),
    version: row[6] === null ? null : Number(row[6]),
  }));
}
