import { firstTransferIdOf } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { readTime, readUuid } from '../../connection/cells.js';
import { count, uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { LISTED_BELOW, OPEN_STATES } from '../rows/open-transfers.js';

export interface ListEndOptions {
  /** The end moves on over so many transfers at a time; it stays where fewer lie behind it. */
  readonly rows: number;
  /** Transfers of this age and younger are left to end by themselves. */
  readonly keepMs: number;
}

/** As a shard begins, and as every release did that knew of no end. */
export const EVERYTHING_IS_LISTED = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Moves the end of the list of open transfers on: over `rows` of them, or over all where nothing
 * came for `keepMs`. What is open before the new end is listed in the same transaction; what has
 * ended, which is nearly all, never was.
 * Caller: reconciler. Index: PRIMARY of transfers, a range of `rows`; the first time a scan of
 * open_transfers. Locks: placement, exclusively and so with no writer in flight, for as long as the
 * range is read; the new rows of open_transfers. Rows: what is open in the range.
 * @returns whether there may be more to move over
 * @throws StoreError
 */
export async function moveListEnd(
  session: Session,
  { rows, keepMs }: ListEndOptions,
): Promise<boolean> {
  const { end, nowMs } = await readListEnd(session);
  const youngest = firstTransferIdOf(nowMs - keepMs);
  if (end === EVERYTHING_IS_LISTED) {
    await session.send(moved(end, youngest, unlistFrom(youngest)));
    return true;
  }
  const next = await transferIdAt(session, { from: end, below: youngest, offset: rows });
  if (next === undefined && !(await isQuiet(session, end, youngest))) return false;
  const to = next ?? youngest;
  await session.send(moved(end, to, listBetween(end, to)));
  return next !== undefined;
}

/** Whether all that lies behind the end is older than the youngest would be, and there is some. */
async function isQuiet(session: Session, end: TransferId, youngest: TransferId): Promise<boolean> {
  const sql =
    `SELECT id FROM transfers FORCE INDEX (PRIMARY) WHERE id >= ${uuid(end)} ` +
    'ORDER BY id DESC LIMIT 1';
  const [newest] = await readRows(session, sql, (row) => readUuid(row[0]));
  return newest !== undefined && newest < youngest;
}

async function readListEnd(session: Session): Promise<{ end: TransferId; nowMs: number }> {
  const sql = `SELECT ${LISTED_BELOW}, NOW(6)`;
  const [read] = await readRows(session, sql, ([end, now]) => ({
    end: readUuid(end),
    nowMs: Date.parse(readTime(now)),
  }));
  if (!read) throw new TypeError('a row was asked for and none came');
  return read;
}

async function transferIdAt(
  session: Session,
  { from, below, offset }: { from: TransferId; below: TransferId; offset: number },
): Promise<TransferId | undefined> {
  const sql =
    `SELECT id FROM transfers FORCE INDEX (PRIMARY) WHERE id >= ${uuid(from)} ` +
    `AND id < ${uuid(below)} ORDER BY id LIMIT 1 OFFSET ${count(offset)}`;
  const [id] = await readRows(session, sql, (row) => readUuid(row[0]));
  return id;
}

/** Nothing happens where somebody else was faster: the statement between is told by a variable. */
function moved(from: TransferId, to: TransferId, between: string): string[] {
  return [
    'START TRANSACTION',
    `UPDATE placement SET listed_below = ${uuid(to)} WHERE id = 1 AND listed_below = ${uuid(from)}`,
    'SET @surety_moved = ROW_COUNT()',
    between,
    'COMMIT',
  ];
}

function listBetween(from: TransferId, to: TransferId): string {
  return (
    'INSERT INTO open_transfers (slot, since, transfer_id) SELECT slot, requested_at, id ' +
    `FROM transfers FORCE INDEX (PRIMARY) WHERE id >= ${uuid(from)} AND id < ${uuid(to)} ` +
    `AND state IN ${OPEN_STATES} AND @surety_moved = 1`
  );
}

function unlistFrom(end: TransferId): string {
  return `DELETE FROM open_transfers WHERE transfer_id >= ${uuid(end)} AND @surety_moved = 1`;
}
