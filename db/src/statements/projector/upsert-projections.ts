import type { WritingSession } from '../../connection/session.js';
import type { BalanceRow, StatusRow } from '../rows/projection-rows.js';
import { balanceUpserts } from './upsert-balances.js';
import { statusUpserts } from './upsert-transaction-statuses.js';

export interface ProjectionRows {
  readonly balances: readonly BalanceRow[];
  readonly statuses: readonly StatusRow[];
}

/**
 * Takes each row only where its version is newer than the one that is there. One transaction, for one
 * flush: projections are as true apart as together.
 * Caller: projector, rebuild. Index: PRIMARY of both tables. Locks: those rows, balances before
 * statuses, ascending. Rows: at most VALUES_MAX a statement, all in one round trip. Fewer affected
 * rows mean older versions.
 * @throws StoreError; nothing is stored then
 */
export async function upsertProjections(
  session: WritingSession,
  rows: ProjectionRows,
): Promise<void> {
  const statements = [...balanceUpserts(rows.balances), ...statusUpserts(rows.statuses)];
  if (statements.length > 0) await session.write(statements);
}
