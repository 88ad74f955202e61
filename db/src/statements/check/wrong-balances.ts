import type { AccountId } from '@surety/domain';
import { readBigint, readBigintOrNull, readText, readTextOrNull } from '../../connection/cells.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';

export interface WrongBalance {
  readonly id: AccountId;
  readonly slot: number;
  /** What the account's row says. */
  readonly balance: bigint;
  readonly entrySeq: bigint;
  /** What its legs say. */
  readonly legsSum: bigint;
  readonly legs: bigint;
  readonly distinctEntrySeqs: bigint;
  readonly lastEntrySeq: bigint | null;
  readonly lastBalanceAfter: bigint | null;
  readonly currency: string;
  /** Of the legs; where they are of several, one that is not the account's. null without legs. */
  readonly legsCurrency: string | null;
}

/**
 * Accounts whose balance is not the sum of their legs, not the last balance_after, whose legs are not
 * numbered 1 to entry_seq, or are in another currency.
 * Caller: checks, in a snapshot. Index: ledger_entries_by_account for the legs, PRIMARY for accounts.
 * Locks: none. Rows: at most OFFENDERS_MAX.
 * @throws StoreError
 */
export function wrongBalances(snapshot: Session): Promise<WrongBalance[]> {
  const sql =
    'SELECT a.id, a.slot, a.balance, a.entry_seq, COALESCE(l.total, 0), COALESCE(l.legs, 0), ' +
    'COALESCE(l.seqs, 0), l.last_seq, last.balance_after, a.currency, ' +
    'CASE WHEN l.first_currency <> a.currency THEN l.first_currency ELSE l.last_currency END ' +
    'FROM accounts AS a ' +
    'LEFT JOIN (SELECT account_id, SUM(amount) AS total, COUNT(*) AS legs, ' +
    'COUNT(DISTINCT entry_seq) AS seqs, MIN(entry_seq) AS first_seq, MAX(entry_seq) AS last_seq, ' +
    'MIN(currency) AS first_currency, MAX(currency) AS last_currency ' +
    'FROM ledger_entries GROUP BY account_id) AS l ON l.account_id = a.id ' +
    'LEFT JOIN ledger_entries AS last ' +
    'ON last.account_id = a.id AND last.entry_seq = l.last_seq ' +
    'WHERE a.balance <> COALESCE(l.total, 0) OR a.entry_seq <> COALESCE(l.legs, 0) ' +
    'OR (l.legs IS NOT NULL AND (l.seqs <> l.legs OR l.last_seq IS NULL OR l.first_seq <> 1 ' +
    'OR l.last_seq <> a.entry_seq OR last.balance_after IS NULL ' +
    'OR l.first_currency <> a.currency OR l.last_currency <> a.currency ' +
    'OR last.balance_after <> a.balance)) ' +
    `ORDER BY a.id LIMIT ${OFFENDERS_MAX}`;
  return readRows(snapshot, sql, (row) => ({
    id: readText(row[0]),
    slot: Number(row[1]),
    balance: readBigint(row[2]),
    entrySeq: readBigint(row[3]),
    legsSum: readBigint(row[4]),
    legs: readBigint(row[5]),
    distinctEntrySeqs: readBigint(row[6]),
    lastEntrySeq: readBigintOrNull(row[7]),
    lastBalanceAfter: readBigintOrNull(row[8]),
    currency: readText(row[9]),
    legsCurrency: readTextOrNull(row[10]),
  }));
}
