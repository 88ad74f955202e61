import type { AccountId } from '@surety/domain';
import { readBigint, readBigintOrNull, readText } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from '../check/bound.js';

/** What the first part of an account goes on from. */
const NO_HASH = `x'${'00'.repeat(32)}'`;

export interface UnchainedPart {
  readonly account: AccountId;
  readonly seal: bigint;
  readonly firstSeq: bigint;
}

/**
 * Parts that do not go on where the account's part before ended, by number and by hash: a part
 * between them was removed, altered or put in.
 * Caller: verification, in a snapshot. Index: ledger_seal_parts_by_account for the part before. Locks:
 * none. Rows: at most OFFENDERS_MAX.
 * @throws StoreError
 */
export function listUnchainedParts(snapshot: Session): Promise<UnchainedPart[]> {
  const sql =
    'SELECT p.account_id, p.seal, p.first_seq FROM ledger_seal_parts AS p ' +
    'LEFT JOIN ledger_seal_parts AS b FORCE INDEX (ledger_seal_parts_by_account) ' +
    'ON b.account_id = p.account_id AND b.last_seq = p.first_seq - 1 ' +
    'AND b.hash = p.previous_hash AND b.seal < p.seal ' +
    'WHERE b.seal IS NULL AND (p.first_seq <> 1 OR p.previous_hash <> ' +
    `${NO_HASH}) ` +
    `ORDER BY p.account_id, p.first_seq LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    account: readText(row[0]),
    seal: readBigint(row[1]),
    firstSeq: readBigint(row[2]),
  }));
}

export interface WrongPosition {
  readonly account: AccountId;
  /** What the position says; null where there is none. */
  readonly entrySeq: bigint | null;
  readonly seal: bigint | null;
  /** What the last part says; null where there is none. */
  readonly sealedSeq: bigint | null;
  readonly sealedBy: bigint | null;
}

/**
 * Positions that are not the end of the account's last part, and accounts with parts and no position.
 * Caller: verification, in a snapshot. Index: PRIMARY of positions, ledger_seal_parts_by_account.
 * Locks: none. Rows: at most OFFENDERS_MAX of each kind.
 * @throws StoreError
 */
export async function listWrongPositions(snapshot: Session): Promise<WrongPosition[]> {
  const limit = `LIMIT ${OFFENDERS_MAX}`;
  const last =
    '(SELECT MAX(m.last_seq) FROM ledger_seal_parts AS m WHERE m.account_id = q.account_id)';
  const results = await snapshot.send([
    'SELECT q.account_id, q.entry_seq, q.seal, p.last_seq, p.seal ' +
      'FROM ledger_seal_positions AS q LEFT JOIN ledger_seal_parts AS p ' +
      `ON p.account_id = q.account_id AND p.last_seq = ${last} ` +
      'WHERE p.seal IS NULL OR p.last_seq <> q.entry_seq OR p.seal <> q.seal ' +
      `OR p.balance <> q.balance OR p.hash <> q.part_hash ORDER BY q.account_id ${limit}`,
    'SELECT p.account_id, NULL, NULL, MAX(p.last_seq), MAX(p.seal) FROM ledger_seal_parts AS p ' +
      'LEFT JOIN ledger_seal_positions AS q ON q.account_id = p.account_id ' +
      `WHERE q.account_id IS NULL GROUP BY p.account_id ORDER BY p.account_id ${limit}`,
  ]);
  return results.flatMap(({ rows }) =>
    rows.map((row) => ({
      account: readText(row[0]),
      entrySeq: readBigintOrNull(row[1] ?? null),
      seal: readBigintOrNull(row[2] ?? null),
      sealedSeq: readBigintOrNull(row[3] ?? null),
      sealedBy: readBigintOrNull(row[4] ?? null),
    })),
  );
}

/** Positions of accounts that have no row any more. At most OFFENDERS_MAX. @throws StoreError */
export function listPositionsWithoutAccount(snapshot: Session): Promise<AccountId[]> {
  const sql =
    'SELECT q.account_id FROM ledger_seal_positions AS q ' +
    'LEFT JOIN accounts AS a ON a.id = q.account_id WHERE a.id IS NULL ' +
    `ORDER BY q.account_id LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => readText(row[0]));
}
