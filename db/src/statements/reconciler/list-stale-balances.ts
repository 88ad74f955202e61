import type { AccountId } from '@surety/domain';
import { readBigintOrNull, readText } from '../../connection/cells.js';
import { count, word } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { readBalanceRow } from '../rows/projection-rows.js';
import type { BalanceRow } from '../rows/projection-rows.js';

/** A balance projection that says something else than its account. */
export interface StaleBalanceRow {
  /** What the projection must say, as of now. */
  readonly truth: BalanceRow;
  /** null where there is no projection. */
  readonly projectedVersion: bigint | null;
}

export interface StaleBalancePage {
  readonly stale: readonly StaleBalanceRow[];
  /** The last account that was looked at; undefined at the end of the table. */
  readonly next: AccountId | undefined;
}

/**
 * Of an account `a`, asked of those that differ only: a row that was altered is not copied. A scalar
 * subquery, because MariaDB makes a scan of the whole ledger of EXISTS.
 */
export const IS_SAID_BY_LAST_LEG =
  '((a.entry_seq = 0 AND a.balance = 0) OR COALESCE((SELECT 1 FROM ledger_entries AS l ' +
  'FORCE INDEX (ledger_entries_by_account) WHERE l.account_id = a.id ' +
  'AND l.entry_seq = a.entry_seq AND l.balance_after = a.balance AND l.currency = a.currency ' +
  'LIMIT 1), 0) = 1)';

/**
 * Of `limit` accounts in the order of their ids, those whose projection differs. An account that
 * never changed needs none; one that its own last leg contradicts is no truth to copy.
 * Caller: reconciler. Index: PRIMARY of accounts, a range; PRIMARY of balances for each of the page;
 * ledger_entries_by_account for the last leg of those that differ.
 * Locks: none. Rows: at most `limit`, in one round trip.
 * @throws StoreError
 */
export async function listStaleBalances(
  session: Session,
  after: AccountId | undefined,
  limit: number,
): Promise<StaleBalancePage> {
  const range = after === undefined ? '' : `WHERE id > ${word(after)} `;
  const page = `FROM accounts FORCE INDEX (PRIMARY) ${range}ORDER BY id LIMIT`;
  const [stale, last] = await session.send([
    'SELECT a.id, a.slot, a.currency, a.balance, a.held, a.version, NOW(6), b.version ' +
      'FROM (SELECT id, slot, currency, balance, held, version, entry_seq ' +
      `${page} ${count(limit)}) AS a ` +
      'LEFT JOIN balances AS b FORCE INDEX (PRIMARY) ON b.account_id = a.id ' +
      'WHERE ((b.version IS NULL AND a.version > 0) OR b.version <> a.version ' +
      'OR b.balance <> a.balance OR b.held <> a.held OR b.currency <> a.currency) ' +
      `AND ${IS_SAID_BY_LAST_LEG}`,
    `SELECT id ${page} ${count(limit - 1)}, 1`,
  ]);
  const end = last?.rows[0];
  return {
    stale: (stale?.rows ?? []).map((row) => ({
      truth: readBalanceRow(row),
      projectedVersion: readBigintOrNull(row[7]),
    })),
    next: end ? readText(end[0]) : undefined,
  };
}
