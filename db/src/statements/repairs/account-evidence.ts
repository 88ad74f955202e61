import type { Account, AccountId } from '@surety/domain';
import type { AuditEntry } from '@surety/saga';
import { readBigint, readBigintOrNull, readCount, readTextOrNull } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { word } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { OPEN_TRANSFERS } from '../rows/open-transfers.js';
import { toldByEvent } from '../rows/told-by-event.js';
import { insertAudit } from '../transact/insert-audit.js';
import { lockAccounts } from '../transact/lock-accounts.js';
import { updateAccounts } from '../transact/update-accounts.js';
import { overwriteBalances } from './overwrite-projections.js';

/** What the legs of an account come to, all of them. Sums of columns, as exact decimals. */
export interface LegsEvidence {
  readonly legs: bigint;
  readonly distinctEntrySeqs: bigint;
  readonly firstEntrySeq: bigint | null;
  readonly lastEntrySeq: bigint | null;
  readonly sumMinor: bigint;
  /** The first leg that is not the one before plus its amount. */
  readonly brokenEntrySeq: bigint | null;
  /**
   * The first leg whose step has no event that says the same amount and the same balance, or whose
   * amount no decision and no transfer of this account says.
   */
  readonly unwitnessedEntrySeq: bigint | null;
  /** Of the legs, where they are of one; null where there are none or of several. */
  readonly currency: string | null;
}

/** What the holds of an account come to. */
export interface HoldsEvidence {
  readonly sumMinor: bigint;
  readonly holds: number;
  /** Holds whose transfer is not held, with these terms and by its events. */
  readonly strange: number;
  /** Held transfers of this account that have no hold. */
  readonly missing: number;
}

export interface AccountEvidence {
  readonly account: Account | undefined;
  readonly legs: LegsEvidence;
  readonly holds: HoldsEvidence;
}

/** An event alone is no witness: a row that somebody put in with its event has neither of these. */
const ORDERED =
  "((e.type = 'credited' AND l.amount > 0 AND d.outcome = 'credited' " +
  'AND d.destination = l.account_id AND d.amount = l.amount AND d.currency = l.currency) ' +
  "OR (e.type = 'committed' AND t.state = 'committed' AND t.currency = l.currency " +
  'AND ((t.source = l.account_id AND t.amount = -l.amount) ' +
  "OR (t.kind = 'funding' AND t.destination = l.account_id AND t.amount = l.amount))))";

const WITNESSED =
  `${ORDERED} AND CASE WHEN JSON_VALID(e.envelope) = 1 THEN ` +
  `CAST(${toldByEvent('amount')} AS DECIMAL(30)) = ABS(l.amount) ` +
  `AND ${toldByEvent('accountId')} = l.account_id ` +
  `AND CAST(${toldByEvent('accountBalance')} AS DECIMAL(30)) = l.balance_after END`;

/**
 * Locks the account, so that no leg and no hold of it comes or goes meanwhile, and reads what they
 * come to.
 * Caller: corrections. Index: PRIMARY of accounts; ledger_entries_by_account, all legs of the account
 * with their events, decisions and transfers by PRIMARY; a scan of holds and of what is open. Locks:
 * the row of accounts. Rows: one of each, in one round trip; the time grows with the legs of the account.
 * @throws StoreError
 */
export async function readAccountEvidence(
  session: Session,
  id: AccountId,
): Promise<AccountEvidence> {
  const lock = lockAccounts([id]);
  const [accounts, legs, ...held] = await session.send([
    ...lock.statements,
    'SELECT COUNT(*), COUNT(DISTINCT l.entry_seq), MIN(l.entry_seq), MAX(l.entry_seq), ' +
      'COALESCE(SUM(l.amount), 0), MIN(CASE WHEN l.balance_after IS NULL ' +
      'OR (p.balance_after IS NULL AND l.entry_seq > 1) ' +
      'OR l.balance_after <> CAST(COALESCE(p.balance_after, 0) AS DECIMAL(30)) + l.amount ' +
      `THEN l.entry_seq END), MIN(CASE WHEN ${WITNESSED} THEN NULL ELSE l.entry_seq END), ` +
      'CASE WHEN MIN(l.currency) = MAX(l.currency) THEN MIN(l.currency) END ' +
      'FROM ledger_entries AS l FORCE INDEX (ledger_entries_by_account) ' +
      'LEFT JOIN ledger_entries AS p FORCE INDEX (ledger_entries_by_account) ' +
      'ON p.account_id = l.account_id AND p.entry_seq = l.entry_seq - 1 ' +
      'LEFT JOIN transfer_events AS e ON e.transfer_id = l.transfer_id AND e.step = l.step ' +
      'LEFT JOIN decisions AS d ON d.transfer_id = l.transfer_id AND d.part = 0 ' +
      'LEFT JOIN transfers AS t ON t.id = l.transfer_id ' +
      `WHERE l.account_id = ${word(id)}`,
    'SELECT COALESCE(SUM(h.amount), 0), COUNT(*), COALESCE(SUM(t.id IS NULL ' +
      "OR t.state <> 'held' OR t.amount <> h.amount OR t.source <> h.account_id " +
      "OR e.type IS NULL OR e.type <> 'held' OR ended.type IS NOT NULL), 0) " +
      'FROM holds AS h LEFT JOIN transfers AS t ON t.id = h.transfer_id ' +
      'LEFT JOIN transfer_events AS e ON e.transfer_id = h.transfer_id AND e.step = 20 ' +
      'LEFT JOIN transfer_events AS ended ON ended.transfer_id = h.transfer_id AND ended.step = 40 ' +
      `WHERE h.account_id = ${word(id)}`,
    `SELECT COUNT(*) FROM ${OPEN_TRANSFERS} AS o JOIN transfers AS t ON t.id = o.transfer_id ` +
      'LEFT JOIN holds AS h ON h.transfer_id = t.id AND h.account_id = t.source ' +
      `WHERE t.source = ${word(id)} AND t.state = 'held' AND h.transfer_id IS NULL`,
  ]);
  return {
    account: (accounts?.rows ?? []).map(lock.read)[0],
    legs: legsOf(legs?.rows[0] ?? []),
    holds: holdsOf(held.flatMap(({ rows }) => rows[0] ?? [])),
  };
}

function holdsOf(cells: Row): HoldsEvidence {
  return {
    sumMinor: readBigint(cells[0]),
    holds: readCount(cells[1]),
    strange: readCount(cells[2]),
    missing: readCount(cells[3]),
  };
}

function legsOf(row: Row): LegsEvidence {
  return {
    legs: readBigint(row[0]),
    distinctEntrySeqs: readBigint(row[1]),
    firstEntrySeq: readBigintOrNull(row[2]),
    lastEntrySeq: readBigintOrNull(row[3]),
    sumMinor: readBigint(row[4]),
    brokenEntrySeq: readBigintOrNull(row[5]),
    unwitnessedEntrySeq: readBigintOrNull(row[6]),
    currency: readTextOrNull(row[7]),
  };
}

/** What the account's row must say; its version rises by one, so that every copy of it is older. */
export type AccountCorrection = Pick<Account, 'balance' | 'held'>;

/**
 * Sets a locked account to what its legs and holds say, and its projection with it: there is no event
 * to carry the new version to the projector.
 * Caller: corrections. Index: PRIMARY of accounts and of balances. Locks: those rows. Rows: one of
 * each. Fewer affected rows mean that the version is not what was read: the guard stops the packet.
 */
export function writeAccountCorrection(
  account: Account,
  { balance, held }: AccountCorrection,
  audit: AuditEntry,
): string[] {
  const version = account.version + 1n;
  const { id, entrySeq, version: expectedVersion } = account;
  return [
    ...updateAccounts([{ id, expectedVersion, balance, held, version, entrySeq }]),
    ...overwriteBalances([{ ...account, balance, held, version }]),
    ...insertAudit([audit]),
  ];
}
