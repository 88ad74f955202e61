import type { Timestamp } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import { readBigint, readCount, readText, readTime, readUuid } from '../../../connection/cells.js';
import type { Cell } from '../../../connection/cells.js';
import { count, time, uuid, word } from '../../../connection/literals.js';
import { readRows } from '../../../connection/session.js';
import type { Session } from '../../../connection/session.js';
import { isAfterOpen, openTransfersPage, readOpenPosition } from '../../rows/open-transfers.js';
import type { OpenPosition } from '../../rows/open-transfers.js';
import { chunksOf, sortedBy } from '../../transact/shape.js';

/** Up to where a shard has been proven. */
export interface VerifiedPoint {
  /** The instant, by this shard's clock, at which all checks held last; null where they never did. */
  readonly verifiedAt: Timestamp | null;
  /** When everything was looked at last, whatever was found. */
  readonly fullAt: Timestamp | null;
  /** What was found then. */
  readonly fullFindings: number;
  /** The database's time of this read. */
  readonly now: Timestamp;
}

function timeOrNull(cell: Cell | undefined): Timestamp | null {
  return cell === null ? null : readTime(cell);
}

/**
 * Caller: checks, CLI. Index: PRIMARY. Locks: none. Rows: one, or none before the first check.
 * @throws StoreError
 */
export async function readVerifiedPoint(session: Session): Promise<VerifiedPoint> {
  const [point] = await readRows(
    session,
    'SELECT p.verified_at, p.full_at, COALESCE(p.full_findings, 0), NOW(6) ' +
      'FROM (SELECT 1 AS id) AS one LEFT JOIN verified_points AS p ON p.id = one.id',
    (row) => ({
      verifiedAt: timeOrNull(row[0]),
      fullAt: timeOrNull(row[1]),
      fullFindings: readCount(row[2]),
      now: readTime(row[3]),
    }),
  );
  if (!point) throw new TypeError('a row was asked for and none came');
  return point;
}

/** An account as it was when all checks held. */
export interface VerifiedAccount {
  readonly id: string;
  readonly slot: number;
  readonly balance: bigint;
  readonly version: bigint;
  readonly entrySeq: bigint;
}

/**
 * Takes each position only where it is newer. `version` is assigned last: what stands before it
 * compares with the old one.
 * Caller: checks. Index: PRIMARY (account_id). Locks: those rows, ascending. Rows: at most VALUES_MAX
 * a statement, all in one round trip. Fewer affected rows mean that another check was further.
 * @throws StoreError
 */
export async function upsertVerifiedAccounts(
  session: Session,
  rows: readonly VerifiedAccount[],
): Promise<void> {
  if (rows.length === 0) return;
  const newer = 'VALUES(version) > version';
  const statements = chunksOf(sortedBy(rows, (row) => row.id)).map((chunk) => {
    const values = chunk.map(
      (row) => `(${word(row.id)},${count(row.slot)},${row.balance},${row.version},${row.entrySeq})`,
    );
    return (
      'INSERT INTO verified_accounts (account_id, slot, balance, version, entry_seq) ' +
      `VALUES ${values.join(',')} ON DUPLICATE KEY UPDATE ` +
      `balance = IF(${newer}, VALUES(balance), balance), ` +
      `entry_seq = IF(${newer}, VALUES(entry_seq), entry_seq), ` +
      'version = GREATEST(version, VALUES(version))'
    );
  });
  await session.send(statements);
}

/**
 * Remembers what had not ended at the instant.
 * Caller: checks. Index: PRIMARY (transfer_id). Locks: those rows, ascending. Rows: at most VALUES_MAX
 * a statement, all in one round trip.
 * @throws StoreError
 */
export async function upsertVerifiedOpenTransfers(
  session: Session,
  ids: readonly { readonly transferId: TransferId; readonly slot: number }[],
  verifiedAt: Timestamp,
): Promise<void> {
  if (ids.length === 0) return;
  const statements = chunksOf(sortedBy(ids, (row) => row.transferId)).map((chunk) => {
    const values = chunk.map(
      (row) => `(${uuid(row.transferId)},${count(row.slot)},${time(verifiedAt)})`,
    );
    return (
      'INSERT INTO verified_open_transfers (transfer_id, slot, verified_at) ' +
      `VALUES ${values.join(',')} ON DUPLICATE KEY UPDATE ` +
      'verified_at = GREATEST(verified_at, VALUES(verified_at))'
    );
  });
  await session.send(statements);
}

/**
 * Moves the point, never back, and then forgets the open transfers of older ones. Last of all
 * writes of a check: an interruption before it leaves the older point with more to look at.
 * Caller: checks. Index: PRIMARY of verified_points, a scan of verified_open_transfers (open ones
 * only). Locks: those rows. Rows: what has ended since the older point.
 * @throws StoreError
 */
export async function moveVerifiedPoint(session: Session, verifiedAt: Timestamp): Promise<void> {
  await session.send([
    'INSERT INTO verified_points (id, verified_at, full_at, full_findings) ' +
      `VALUES (1, ${time(verifiedAt)}, NULL, 0) ON DUPLICATE KEY UPDATE ` +
      'verified_at = GREATEST(COALESCE(verified_at, VALUES(verified_at)), VALUES(verified_at))',
    `DELETE FROM verified_open_transfers WHERE verified_at < ${time(verifiedAt)}`,
  ]);
}

/**
 * Records that everything was looked at, and how much of it was broken.
 * Caller: checks. Index: PRIMARY. Locks: the row. Rows: one.
 * @throws StoreError
 */
export async function recordFullCheck(
  session: Session,
  at: Timestamp,
  findings: number,
): Promise<void> {
  await session.send([
    'INSERT INTO verified_points (id, verified_at, full_at, full_findings) ' +
      `VALUES (1, NULL, ${time(at)}, ${count(findings)}) ON DUPLICATE KEY UPDATE ` +
      'full_at = VALUES(full_at), full_findings = VALUES(full_findings)',
  ]);
}

/**
 * What had not ended at the verified point and is older than `before`, page by page.
 * Caller: checks, in a snapshot. Index: PRIMARY (transfer_id), a range. Locks: none. Rows: at most
 * `limit`.
 * @throws StoreError
 */
export function listVerifiedOpenTransfers(
  snapshot: Session,
  range: { readonly after: TransferId | undefined; readonly before: TransferId },
  limit: number,
): Promise<TransferId[]> {
  const after = range.after ? `transfer_id > ${uuid(range.after)} AND ` : '';
  const sql =
    'SELECT transfer_id FROM verified_open_transfers FORCE INDEX (PRIMARY) ' +
    `WHERE ${after}transfer_id < ${uuid(range.before)} ORDER BY transfer_id LIMIT ${count(limit)}`;
  return readRows(snapshot, sql, (row) => readUuid(row[0]));
}

/**
 * Everything that is open, in the order of (slot, since, transfer_id), page by page.
 * Caller: checks, in a snapshot. Index: PRIMARY (slot, since, transfer_id) of open_transfers, and
 * PRIMARY of transfers, a range of the newest. Locks: none. Rows: at most `limit`.
 * @throws StoreError
 */
export function listOpenPositions(
  snapshot: Session,
  after: OpenPosition | undefined,
  limit: number,
): Promise<OpenPosition[]> {
  const page = openTransfersPage((columns) => isAfterOpen(columns, after), limit);
  const sql = `SELECT slot, since, transfer_id FROM ${page} AS o ORDER BY slot, since, transfer_id`;
  return readRows(snapshot, sql, readOpenPosition);
}

/**
 * Accounts that were verified and do not exist any more.
 * Caller: checks, in a snapshot. Index: a scan of verified_accounts, PRIMARY of accounts. Locks: none.
 * Rows: at most `limit`.
 * @throws StoreError
 */
export function listVanishedAccounts(
  snapshot: Session,
  limit: number,
): Promise<Pick<VerifiedAccount, 'id' | 'slot' | 'balance'>[]> {
  const sql =
    'SELECT v.account_id, v.slot, v.balance FROM verified_accounts AS v ' +
    'LEFT JOIN accounts AS a ON a.id = v.account_id WHERE a.id IS NULL ' +
    `ORDER BY v.account_id LIMIT ${count(limit)}`;
  return readRows(snapshot, sql, (row) => ({
    id: readText(row[0]),
    slot: readCount(row[1]),
    balance: readBigint(row[2]),
  }));
}
