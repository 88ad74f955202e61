import type { AuditEntry } from '@surety/saga';
import type { Session } from '../../connection/session.js';
import { insertAudit } from '../transact/insert-audit.js';

/**
 * Lines of audit_log in a transaction of their own, for what changed no row: whatever changes one
 * hands its line to `transact`.
 * Caller: CLI. Index, locks, rows: as insertAudit.
 * @throws StoreError
 */
export async function insertAuditEntries(
  session: Session,
  entries: readonly AuditEntry[],
): Promise<void> {
  const statements = insertAudit(entries);
  if (statements.length > 0) await session.send(statements);
}
