import { readCount } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { OPEN_TRANSFERS } from '../rows/open-transfers.js';

const TABLES = [
  'accounts',
  'transfers',
  'open_transfers',
  'holds',
  'transfer_events',
  'decisions',
  'ledger_entries',
  'idempotency_keys',
  'outbox',
  'balances',
  'transaction_status',
] as const;

export type CountedTable = (typeof TABLES)[number];

/**
 * Rows of each table: how much a check has looked at. Of open_transfers all that is open, whether it
 * is listed or newer than the list.
 * Caller: checks, in a snapshot. Index: a scan of each. Locks: none. Rows: one number for each table.
 * @throws StoreError
 */
export async function countRows(
  snapshot: Session,
  tables: readonly CountedTable[] = TABLES,
): Promise<ReadonlyMap<CountedTable, number>> {
  const results = await snapshot.send(
    tables.map((table) => {
      const from = table === 'open_transfers' ? `${OPEN_TRANSFERS} AS o` : table;
      return `SELECT COUNT(*) FROM ${from}`;
    }),
  );
  return new Map(tables.map((table, index) => [table, readCount(results[index]?.rows[0]?.[0])]));
}
