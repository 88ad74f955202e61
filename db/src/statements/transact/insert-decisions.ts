import type { DecisionRow } from '@surety/saga';
import { count, listed, uuid, word, wordOrNull } from '../../connection/literals.js';
import { DECISION_COLUMNS } from '../rows/decision-row.js';
import { sortedBy } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (transfer_id, part). Locks: the new rows, ascending by key.
 * Rows: those of the batch. A decision that exists raises 1062: whoever came first has decided, and
 * the whole is read again.
 */
export function insertDecisions(rows: readonly DecisionRow[]): string[] {
  if (rows.length === 0) return [];
  const sorted = sortedBy(rows, (row) => row.transferId);
  return [`INSERT INTO decisions (part, ${DECISION_COLUMNS}) VALUES ${listed(sorted, valuesOf)}`];
}

function valuesOf(row: DecisionRow): string {
  const { decision } = row;
  const reason = 'reason' in decision ? decision.reason : null;
  return (
    `(0,${uuid(row.transferId)},${count(row.slot)},${word(decision.outcome)},` +
    `${wordOrNull(reason)},${word(row.source)},${word(row.destination)},` +
    `${row.amountMinor},${word(row.currency)})`
  );
}
