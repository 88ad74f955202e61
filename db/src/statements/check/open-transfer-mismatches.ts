import type { TransferId, TransferStatus } from '@surety/domain';
import { readFlag, readTextOrNull, readUuid } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { LISTED_BELOW, OPEN_STATES } from '../rows/open-transfers.js';
import { OFFENDERS_MAX } from './bound.js';

export interface OpenTransferMismatch {
  readonly transferId: TransferId;
  /** null where there is no transfer. */
  readonly state: TransferStatus | null;
  readonly isListedAsOpen: boolean;
}

/**
 * Transfers that are listed as open and are not or are newer than the end of the list, and those that
 * are open, older and not listed: nobody would drive these on.
 * Caller: checks, in a snapshot. Index: PRIMARY of open_transfers, a scan of transfers. Locks: none.
 * Rows: at most OFFENDERS_MAX of each kind.
 * @throws StoreError
 */
export async function openTransferMismatches(snapshot: Session): Promise<OpenTransferMismatch[]> {
  const results = await snapshot.send([
    'SELECT o.transfer_id, t.state, 1 FROM open_transfers AS o ' +
      'LEFT JOIN transfers AS t ON t.id = o.transfer_id ' +
      `WHERE t.id IS NULL OR t.state NOT IN ${OPEN_STATES} OR t.slot <> o.slot ` +
      `OR t.requested_at <> o.since OR t.id >= ${LISTED_BELOW} ORDER BY o.transfer_id LIMIT ${OFFENDERS_MAX}`,
    'SELECT t.id, t.state, 0 FROM transfers AS t LEFT JOIN open_transfers AS o ' +
      'ON o.slot = t.slot AND o.since = t.requested_at AND o.transfer_id = t.id ' +
      `WHERE t.state IN ${OPEN_STATES} AND t.id < ${LISTED_BELOW} AND o.transfer_id IS NULL ` +
      `ORDER BY t.id LIMIT ${OFFENDERS_MAX}`,
  ]);
  return results.flatMap(({ rows }) =>
    rows.map((row) => ({
      transferId: readUuid(row[0]),
      state: readTextOrNull(row[1]) as TransferStatus | null,
      isListedAsOpen: readFlag(row[2]),
    })),
  );
}
