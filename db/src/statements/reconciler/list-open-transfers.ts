import type { Row } from '../../connection/cells.js';
import { readBigint } from '../../connection/cells.js';
import { count } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { isAfterOpen, openTransfersPage, readOpenPosition } from '../rows/open-transfers.js';
import type { OpenColumns, OpenPosition } from '../rows/open-transfers.js';

/** A transfer that has not ended. */
export interface OpenTransfer extends OpenPosition {
  readonly state: 'requested' | 'held';
  /** Time since the request by the database's clock. */
  readonly ageMs: number;
}

export interface OpenTransferPage {
  readonly transfers: readonly OpenTransfer[];
  /** Where the next page begins; undefined after the last one. */
  readonly next: OpenPosition | undefined;
}

const MICROSECONDS_PER_MS = 1_000;

/**
 * Transfers that stand open for longer than `olderThanMs`, in the order of the key.
 * Caller: reconciler. Index: PRIMARY (slot, since, transfer_id) of open_transfers, and PRIMARY of
 * transfers, a range of the newest and one lookup for each that was found. Locks: none. Rows: at most
 * `limit`. What is read here decides nothing: every repair reads again under lock.
 * @throws StoreError
 */
export async function listOpenTransfers(
  session: Session,
  olderThanMs: number,
  after: OpenPosition | undefined,
  limit: number,
): Promise<OpenTransferPage> {
  const age = count(Math.round(olderThanMs * MICROSECONDS_PER_MS));
  const within = (columns: OpenColumns): string =>
    `${columns.since} < NOW(6) - INTERVAL ${age} MICROSECOND AND ${isAfterOpen(columns, after)}`;
  const sql =
    'SELECT o.slot, o.since, o.transfer_id, TIMESTAMPDIFF(MICROSECOND, o.since, NOW(6)), t.state ' +
    `FROM ${openTransfersPage(within, limit)} AS o ` +
    'LEFT JOIN transfers AS t ON t.id = o.transfer_id ORDER BY o.slot, o.since, o.transfer_id';
  const rows = await readRows(session, sql, (row) => row);
  const last = rows.at(-1);
  return {
    transfers: rows.flatMap(openTransferOf),
    next: last && rows.length >= limit ? readOpenPosition(last) : undefined,
  };
}

/** A row whose transfer is absent or ended is a broken promise: the checks tell of it. */
function openTransferOf(row: Row): OpenTransfer[] {
  const state = row[4];
  if (state !== 'requested' && state !== 'held') return [];
  const ageMs = Number(readBigint(row[3])) / MICROSECONDS_PER_MS;
  return [{ ...readOpenPosition(row), state, ageMs }];
}
