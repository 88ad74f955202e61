import { readCount } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';

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
 * Rows of each table: how much a check has looked at.
 * Caller: checks, in a snapshot. Index: a scan of each. Locks: none. Rows: one number for each table.
 * @throws StoreError
 */
export async function countRows(
  snapshot: Session,
  tables: readonly CountedTable[] = TABLES,
): Promise<ReadonlyMap<CountedTable, number>> {
  const results = await snapshot.send(tables.map((table) => `SELECT COUNT(*) FROM ${table}`));
  return new Map(tables.map((table, index) => [table, readCount(results[index]?.rows[0]?.[0])]));
}
