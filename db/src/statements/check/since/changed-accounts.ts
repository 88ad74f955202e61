import { SLOT_COUNT } from '@surety/domain';
import type { AccountId, SlotMap, TransferId } from '@surety/domain';
import {
  readBigint,
  readBigintOrNull,
  readCount,
  readText,
  readUuid,
} from '../../../connection/cells.js';
import { count, uuid, word } from '../../../connection/literals.js';
import { readRows } from '../../../connection/session.js';
import type { Session } from '../../../connection/session.js';
import { RANGES_MAX, chunksOf, inLockOrder } from '../../transact/shape.js';
import { foreignTo } from '../foreign-slots.js';

/** An account that is not what it was at the verified point. */
export interface ChangedAccount {
  readonly id: AccountId;
  readonly slot: number;
  readonly balance: bigint;
  readonly version: bigint;
  readonly entrySeq: bigint;
  /** Zero where the account is new. */
  readonly verifiedBalance: bigint;
  readonly verifiedVersion: bigint;
  readonly verifiedEntrySeq: bigint;
}

/**
 * Accounts that differ from the verified ones, lie in another slot than their id says or on a shard
 * that does not carry it, page by page.
 * Accounts are state and not history: all of them are compared, so that a row that was altered under an
 * old version is seen, too.
 * Caller: checks, in a snapshot. Index: PRIMARY of accounts and of verified_accounts. Locks: none.
 * Rows: at most `limit`.
 * @throws StoreError
 */
export function listChangedAccounts(
  snapshot: Session,
  map: SlotMap,
  { after, limit }: { readonly after: AccountId | undefined; readonly limit: number },
): Promise<ChangedAccount[]> {
  const isForeign = foreignTo(snapshot.id, map);
  const sql =
    'SELECT a.id, a.slot, a.balance, a.version, a.entry_seq, COALESCE(v.balance, 0), ' +
    'COALESCE(v.version, -1), COALESCE(v.entry_seq, 0) FROM accounts AS a FORCE INDEX (PRIMARY) ' +
    'LEFT JOIN verified_accounts AS v ON v.account_id = a.id ' +
    `WHERE ${after === undefined ? '' : `a.id > ${word(after)} AND `}` +
    '(v.account_id IS NULL OR v.version <> a.version OR v.entry_seq <> a.entry_seq ' +
    `OR v.balance <> a.balance OR a.slot <> CRC32(a.id) % ${SLOT_COUNT} ` +
    `OR ${isForeign('a.slot')}) ORDER BY a.id LIMIT ${count(limit)}`;
  return readRows(snapshot, sql, (row) => ({
    id: readText(row[0]),
    slot: readCount(row[1]),
    balance: readBigint(row[2]),
    version: readBigint(row[3]),
    entrySeq: readBigint(row[4]),
    verifiedBalance: readBigint(row[5]),
    verifiedVersion: readBigint(row[6]),
    verifiedEntrySeq: readBigint(row[7]),
  }));
}

/** The legs of an account beyond its verified one. */
export interface NewLegs {
  readonly account: AccountId;
  readonly legs: bigint;
  readonly distinctEntrySeqs: bigint;
  readonly firstEntrySeq: bigint;
  readonly lastEntrySeq: bigint;
  readonly sumMinor: bigint;
  /** The smallest id of a transfer that put one of them there. */
  readonly oldestTransfer: TransferId;
  /** The first leg whose balance_after is not that of the leg before plus its own amount. */
  readonly brokenEntrySeq: bigint | null;
}

export type LegPosition = Pick<ChangedAccount, 'id' | 'verifiedEntrySeq'>;

/** The legs `l` beyond the verified ones, or from the verified ones on. */
export function legRanges(accounts: readonly LegPosition[], from: '>' | '>=' = '>'): string {
  return accounts
    .map(
      ({ id, verifiedEntrySeq }) =>
        `(l.account_id = ${word(id)} AND l.entry_seq ${from} ${verifiedEntrySeq})`,
    )
    .join(' OR ');
}

/**
 * What the legs beyond the verified ones come to, for accounts that have any.
 * Caller: checks, in a snapshot. Index: ledger_entries_by_account (account_id, entry_seq), a range for
 * each account; the leg before each by the same index. Locks: none. Rows: at most one for each
 * account, of at most RANGES_MAX accounts a statement, all in one round trip. Sums are of columns, as
 * exact decimals.
 * @throws StoreError
 */
export async function sumNewLegs(
  snapshot: Session,
  accounts: readonly LegPosition[],
): Promise<NewLegs[]> {
  if (accounts.length === 0) return [];
  const statements = chunksOf(accounts, RANGES_MAX).map(
    (chunk) =>
      'SELECT l.account_id, COUNT(*), COUNT(DISTINCT l.entry_seq), MIN(l.entry_seq), ' +
      'MAX(l.entry_seq), SUM(l.amount), MIN(CASE WHEN l.balance_after IS NULL ' +
      'OR (p.balance_after IS NULL AND l.entry_seq > 1) ' +
      'OR l.balance_after <> CAST(COALESCE(p.balance_after, 0) AS DECIMAL(30)) + l.amount ' +
      'THEN l.entry_seq END), MIN(l.transfer_id) ' +
      'FROM ledger_entries AS l FORCE INDEX (ledger_entries_by_account) ' +
      'LEFT JOIN ledger_entries AS p FORCE INDEX (ledger_entries_by_account) ' +
      'ON p.account_id = l.account_id AND p.entry_seq = l.entry_seq - 1 ' +
      `WHERE ${legRanges(chunk)} GROUP BY l.account_id`,
  );
  const results = await snapshot.send(statements);
  return results.flatMap(({ rows }) =>
    rows.map((row) => ({
      account: readText(row[0]),
      legs: readBigint(row[1]),
      distinctEntrySeqs: readBigint(row[2]),
      firstEntrySeq: readBigint(row[3]),
      lastEntrySeq: readBigint(row[4]),
      sumMinor: readBigint(row[5]),
      brokenEntrySeq: readBigintOrNull(row[6]),
      oldestTransfer: readUuid(row[7]),
    })),
  );
}

/**
 * Transfers with an id below `before` that have put legs on these accounts since, by id, those after
 * `after`: those that began long ago, and those that an id of another time hides.
 * Caller: checks, in a snapshot. Index: ledger_entries_by_account, a range for each account; it holds
 * the transfer's id. Locks: none. Rows: at most `limit` of each statement, which has at most
 * RANGES_MAX accounts, all in one round trip; the first `limit` of them together are the answer.
 * @throws StoreError
 */
export async function listOlderTransfersOfNewLegs(
  snapshot: Session,
  accounts: readonly LegPosition[],
  range: {
    readonly after: TransferId | undefined;
    readonly before: TransferId;
    readonly limit: number;
  },
): Promise<TransferId[]> {
  if (accounts.length === 0) return [];
  const { after, before, limit } = range;
  const beyond = after === undefined ? '' : `AND l.transfer_id > ${uuid(after)} `;
  const statements = chunksOf(accounts, RANGES_MAX).map(
    (chunk) =>
      'SELECT DISTINCT l.transfer_id ' +
      'FROM ledger_entries AS l FORCE INDEX (ledger_entries_by_account) ' +
      `WHERE (${legRanges(chunk)}) ${beyond}AND l.transfer_id < ${uuid(before)} ` +
      `ORDER BY l.transfer_id LIMIT ${count(limit)}`,
  );
  const results = await snapshot.send(statements);
  const ids = results.flatMap(({ rows }) => rows.map((row) => readUuid(row[0])));
  return inLockOrder(ids).slice(0, limit);
}
