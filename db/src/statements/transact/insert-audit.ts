import type { Timestamp } from '@surety/contracts';
import type { AuditEntry } from '@surety/saga';
import { count, storedText, text, time, uuid, word } from '../../connection/literals.js';

/**
 * Caller: transact, last of the appends, and every other write that leaves a line. Index: PRIMARY
 * (id), given by the engine; by transfer, account and time. Locks: the new rows. Rows: those given,
 * in one statement.
 * @param now the transaction's time; left out, the database's at the statement
 */
export function insertAudit(entries: readonly AuditEntry[], now?: Timestamp): string[] {
  if (entries.length === 0) return [];
  const createdAt = now === undefined ? 'NOW(6)' : time(now);
  const values = entries.map(
    ({ actor, action, transferId, accountId, slot, reason, before, after }) =>
      `(${text(actor)},${word(action)},${transferId === undefined ? 'NULL' : uuid(transferId)},` +
      `${accountId === undefined ? 'NULL' : word(accountId)},${count(slot)},${text(reason)},` +
      `${storedText(JSON.stringify(before))},${storedText(JSON.stringify(after))},${createdAt})`,
  );
  return [
    'INSERT INTO audit_log (actor, action, transfer_id, account_id, slot, reason, state_before, ' +
      `state_after, created_at) VALUES ${values.join(',')}`,
  ];
}
