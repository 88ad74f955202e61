import { count, time, word } from '../../connection/literals.js';
import { BALANCE_COLUMNS } from '../rows/projection-rows.js';
import type { BalanceRow } from '../rows/projection-rows.js';
import { chunksOf, sortedBy } from '../transact/shape.js';

/**
 * Takes each row only where its version is newer than the one that is there. `version` is assigned
 * last: the assignments before it compare with the old one.
 * Callers: `upsertProjections`, repairs of projections. At most VALUES_MAX rows a statement, ascending.
 */
export function balanceUpserts(rows: readonly BalanceRow[]): string[] {
  return chunksOf(sortedBy(rows, (row) => row.accountId)).map((chunk) => {
    const values = chunk.map(
      (row) =>
        `(${word(row.accountId)},${count(row.slot)},${word(row.currency)},${row.balance},` +
        `${row.held},${row.version},${time(row.updatedAt)})`,
    );
    return (
      `INSERT INTO balances (${BALANCE_COLUMNS}) VALUES ${values.join(',')} ` +
      'ON DUPLICATE KEY UPDATE ' +
      'balance = IF(VALUES(version) > version, VALUES(balance), balance), ' +
      'held = IF(VALUES(version) > version, VALUES(held), held), ' +
      'updated_at = IF(VALUES(version) > version, VALUES(updated_at), updated_at), ' +
      'version = GREATEST(version, VALUES(version))'
    );
  });
}
