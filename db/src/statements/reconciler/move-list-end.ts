import { firstTransferIdOf } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import type { Fence } from '@surety/saga';
import { readTime, readUuid, readUuidOrNull } from '../../connection/cells.js';
import { LOCK_TIMEOUT, failureOf } from '../../connection/driver-errors.js';
import { uuid } from '../../connection/literals.js';
import { readRows, storeError } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import type { Shard } from '../../shard-pools.js';
import { transferIdAfter } from '../check/since/transfer-records.js';
import { checkFence } from '../leases/check-fence.js';
import { LISTED_BELOW, OPEN_STATES } from '../rows/open-transfers.js';

export interface ListEndOptions {
  /** The end moves on over so many transfers at a time; it stays where fewer lie behind it. */
  readonly rows: number;
  /** Transfers of this age and younger are left to end by themselves. */
  readonly keepMs: number;
}

/** As a shard begins, and as every release did that knew of no end. */
export const EVERYTHING_IS_LISTED = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const NOTHING_IS_LISTED = '00000000-0000-0000-0000-000000000000';

/**
 * So many times `rows` behind the end, it moves on whatever the age of transfers seems to be: clocks
 * that disagree must not make the range longer and longer.
 */
const ROWS_WHATEVER_THE_AGE = 10;

/** Writers queue behind whoever waits for placement: not for longer than this behind one that hangs. */
const LOCK_WAIT_SECONDS = 1;

/** Where the end is, and where it is to be. */
export interface ListEndMove {
  readonly from: TransferId;
  readonly to: TransferId;
}

/**
 * Moves the end of the list of open transfers on: over `rows` of them, or over all where nothing
 * came for `keepMs`. What is open before the new end is listed in the same transaction; what has
 * ended, which is nearly all, never was.
 * Caller: reconciler. Index: PRIMARY of transfers, a range of `rows`; the first time a scan of
 * open_transfers. Locks: placement, exclusively and so with no writer in flight, for as long as the
 * range is read; the new rows of open_transfers. Rows: what is open in the range.
 * @returns whether there may be more to move over; false, too, where a writer did not end in time
 * @throws StoreError, of kind `fenced` where the lease has a newer holder
 */
export async function moveListEnd(
  shard: Shard,
  options: ListEndOptions,
  fence?: Fence,
): Promise<boolean> {
  const move = await nextListEnd(shard, options);
  if (!move) return false;
  const fenced = fence ? checkFence(fence, shard.id) : [];
  try {
    await shard.pool.useOnce((link) => link.send(statementsOf(move, fenced)));
    return true;
  } catch (error) {
    if (failureOf(error).code === LOCK_TIMEOUT) return false;
    throw storeError(error, `the end of the list of open transfers on shard ${shard.id}`);
  }
}

/** Undefined where the end stays. Reads alone, see `moveListEnd`. */
export async function nextListEnd(
  session: Session,
  { rows, keepMs }: ListEndOptions,
): Promise<ListEndMove | undefined> {
  const { from, newest, nowMs } = await readListEnd(session);
  const youngest = firstTransferIdOf(nowMs - keepMs);
  // Never beyond what there is: an end ahead of all that comes would list everything again.
  const upTo = newest < youngest ? newest : youngest;
  if (from === EVERYTHING_IS_LISTED) return { from, to: upTo };
  const beyond = await transferIdAfter(session, from, rows);
  if (beyond !== undefined && beyond < youngest) return { from, to: beyond };
  if (newest < youngest) return newest > from ? { from, to: newest } : undefined;
  const to = await transferIdAfter(session, from, rows * ROWS_WHATEVER_THE_AGE);
  return to === undefined ? undefined : { from, to };
}

interface ListEnd {
  readonly from: TransferId;
  /** The largest id there is; the smallest of all where there is none. */
  readonly newest: TransferId;
  readonly nowMs: number;
}

async function readListEnd(session: Session): Promise<ListEnd> {
  const sql = `SELECT ${LISTED_BELOW}, (SELECT MAX(id) FROM transfers), NOW(6)`;
  const [read] = await readRows(session, sql, ([end, newest, now]) => ({
    from: readUuid(end),
    newest: readUuidOrNull(newest) ?? NOTHING_IS_LISTED,
    nowMs: Date.parse(readTime(now)),
  }));
  if (!read) throw new TypeError('a row was asked for and none came');
  return read;
}

/**
 * Nothing happens where somebody else was faster: the last statement asks where the end is now. It
 * must not ask ROW_COUNT(), which is -1 once the answer to the statement before could not be sent: a
 * server that has lost its client goes on with the packet, and would move the end and list nothing.
 */
function statementsOf({ from, to }: ListEndMove, fenced: readonly string[]): string[] {
  return [
    `SET SESSION innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
    'START TRANSACTION',
    `UPDATE placement SET listed_below = ${uuid(to)} WHERE id = 1 AND listed_below = ${uuid(from)}`,
    ...fenced,
    from === EVERYTHING_IS_LISTED ? unlistFrom(to) : listBetween(from, to),
    'COMMIT',
  ];
}

/** Those that are listed already, which only a process of an earlier release leaves behind, stay so. */
function listBetween(from: TransferId, to: TransferId): string {
  return (
    'INSERT INTO open_transfers (slot, since, transfer_id) SELECT t.slot, t.requested_at, t.id ' +
    'FROM transfers AS t FORCE INDEX (PRIMARY) LEFT JOIN open_transfers AS o ' +
    'ON o.slot = t.slot AND o.since = t.requested_at AND o.transfer_id = t.id ' +
    `WHERE t.id >= ${uuid(from)} AND t.id < ${uuid(to)} AND t.state IN ${OPEN_STATES} ` +
    `AND o.transfer_id IS NULL AND ${isAt(to)}`
  );
}

function unlistFrom(end: TransferId): string {
  return `DELETE FROM open_transfers WHERE transfer_id >= ${uuid(end)} AND ${isAt(end)}`;
}

function isAt(end: TransferId): string {
  return `${LISTED_BELOW} = ${uuid(end)}`;
}
