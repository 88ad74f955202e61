import type { TransferId, TransferStatus } from '@surety/domain';
import { readBigintOrNull, readTextOrNull, readUuid } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { OPEN_TRANSFERS } from '../rows/open-transfers.js';
import { OFFENDERS_MAX } from './bound.js';

export interface HoldMismatch {
  readonly transferId: TransferId;
  /** null where there is no transfer. */
  readonly state: TransferStatus | null;
  readonly amountMinor: bigint | null;
  /** null where there is no hold. */
  readonly holdMinor: bigint | null;
}

/**
 * Holds whose transfer is not held or is about another amount, account or slot, and held transfers
 * without a hold.
 * Caller: checks, in a snapshot. Index: PRIMARY of holds, open_transfers and transfers. Locks: none.
 * Rows: at most OFFENDERS_MAX of each kind. Open transfers stand for all that may be held: that they
 * are complete is a check of its own.
 * @throws StoreError
 */
export async function holdMismatches(snapshot: Session): Promise<HoldMismatch[]> {
  const results = await snapshot.send([
    'SELECT h.transfer_id, t.state, t.amount, h.amount FROM holds AS h ' +
      'LEFT JOIN transfers AS t ON t.id = h.transfer_id ' +
      "WHERE t.id IS NULL OR t.state <> 'held' OR t.amount <> h.amount " +
      `OR t.source <> h.account_id OR t.slot <> h.slot ORDER BY h.transfer_id LIMIT ${OFFENDERS_MAX}`,
    `SELECT t.id, t.state, t.amount, NULL FROM ${OPEN_TRANSFERS} AS o ` +
      'JOIN transfers AS t ON t.id = o.transfer_id ' +
      'LEFT JOIN holds AS h ON h.transfer_id = o.transfer_id ' +
      `WHERE t.state = 'held' AND h.transfer_id IS NULL ORDER BY t.id LIMIT ${OFFENDERS_MAX}`,
  ]);
  return results.flatMap(({ rows }) =>
    rows.map((row) => ({
      transferId: readUuid(row[0]),
      state: readTextOrNull(row[1]) as TransferStatus | null,
      amountMinor: readBigintOrNull(row[2]),
      holdMinor: readBigintOrNull(row[3]),
    })),
  );
}
