import { count, time, uuid, word, wordOrNull } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { STATUS_COLUMNS } from '../rows/projection-rows.js';
import type { StatusRow } from '../rows/projection-rows.js';
import { chunksOf, sortedBy } from '../transact/shape.js';

/**
 * Takes each row only where its version is newer than the one that is there. `version` is assigned
 * last: the assignments before it compare with the old one.
 * Caller: projector, rebuild. Index: PRIMARY (transfer_id). Locks: those rows, ascending. Rows: at
 * most VALUES_MAX a statement, all in one round trip. Fewer affected rows mean older versions.
 * @throws StoreError
 */
export async function upsertTransactionStatuses(
  session: Session,
  rows: readonly StatusRow[],
): Promise<void> {
  const statements = statusUpserts(rows);
  if (statements.length > 0) await session.send(statements);
}

/** The same as text, for a packet with more in it. Callers: the above, repairs of projections. */
export function statusUpserts(rows: readonly StatusRow[]): string[] {
  return chunksOf(sortedBy(rows, (row) => row.transferId)).map((chunk) => {
    const values = chunk.map(
      (row) =>
        `(${uuid(row.transferId)},${count(row.slot)},${word(row.status)},` +
        `${wordOrNull(row.reason)},${count(row.version)},${time(row.updatedAt)})`,
    );
    return (
      `INSERT INTO transaction_status (${STATUS_COLUMNS}) VALUES ${values.join(',')} ` +
      'ON DUPLICATE KEY UPDATE ' +
      'status = IF(VALUES(version) > version, VALUES(status), status), ' +
      'reason = IF(VALUES(version) > version, VALUES(reason), reason), ' +
      'updated_at = IF(VALUES(version) > version, VALUES(updated_at), updated_at), ' +
      'version = GREATEST(version, VALUES(version))'
    );
  });
}
