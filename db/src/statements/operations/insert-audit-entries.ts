import type { TransferId } from '@surety/domain';
import { count, text, uuid, word } from '../../connection/literals.js';
import { changeRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

/** One line of audit_log: who did what to which transfer, with the state before and after. */
export interface AuditEntry {
  readonly actor: string;
  readonly action: string;
  readonly transferId: TransferId | null;
  readonly slot: number;
  readonly reason: string;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/**
 * Caller: reconciler, CLI. Index: PRIMARY (id), given by the engine. Locks: the new rows. Rows: those
 * given, in one statement.
 * @throws StoreError
 */
export async function insertAuditEntries(
  session: Session,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const values = entries.map(
    ({ actor, action, transferId, slot, reason, before, after }) =>
      `(${text(actor)},${word(action)},${transferId === null ? 'NULL' : uuid(transferId)},` +
      `${count(slot)},${text(reason)},${text(JSON.stringify(before))},` +
      `${text(JSON.stringify(after))},NOW(6))`,
  );
  await changeRows(
    session,
    'INSERT INTO audit_log (actor, action, transfer_id, slot, reason, state_before, state_after, ' +
      `created_at) VALUES ${values.join(',')}`,
  );
}
