import { count, time, uuid, word, wordOrNull } from '../../connection/literals.js';
import { STATUS_COLUMNS } from '../rows/projection-rows.js';
import type { StatusRow } from '../rows/projection-rows.js';
import { chunksOf, sortedBy } from '../transact/shape.js';

/**
 * Takes each row only where its version is newer than the one that is there. `version` is assigned
 * last: the assignments before it compare with the old one.
 * Callers: `upsertProjections`, repairs of projections. At most VALUES_MAX rows a statement, ascending.
 */
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
