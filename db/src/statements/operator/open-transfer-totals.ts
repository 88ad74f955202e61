import type { TransferId } from '@surety/domain';
import { readBigint, readCount, readTextOrNull, readUuid } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { OPEN_TRANSFERS } from '../rows/open-transfers.js';

export interface OpenTransferTotals {
  /** Transfers that have not ended, by state; `unknown` where the transfer's row is missing. */
  readonly byState: Readonly<Record<string, number>>;
  /** The one that stands longest, by the database's clock; undefined where nothing is open. */
  readonly oldest: { readonly transferId: TransferId; readonly ageSeconds: number } | undefined;
}

const MICROSECONDS = 1e6;

/**
 * Caller: CLI. Index: all of PRIMARY (slot, since, transfer_id) of open_transfers, PRIMARY of
 * transfers, with a range of the newest: what is open, never history. Locks: none. Rows: one for each state, and the oldest.
 * @throws StoreError
 */
export async function openTransferTotals(session: Session): Promise<OpenTransferTotals> {
  const [states, oldest] = await session.send([
    `SELECT t.state, COUNT(*) FROM ${OPEN_TRANSFERS} AS o ` +
      'LEFT JOIN transfers AS t ON t.id = o.transfer_id GROUP BY t.state',
    `SELECT transfer_id, TIMESTAMPDIFF(MICROSECOND, since, NOW(6)) FROM ${OPEN_TRANSFERS} AS o ` +
      'ORDER BY since, transfer_id LIMIT 1',
  ]);
  const first = oldest?.rows[0];
  return {
    byState: Object.fromEntries(
      (states?.rows ?? []).map((row) => [
        readTextOrNull(row[0] ?? null) ?? 'unknown',
        readCount(row[1]),
      ]),
    ),
    oldest: first && {
      transferId: readUuid(first[0]),
      ageSeconds: Math.max(0, Number(readBigint(first[1])) / MICROSECONDS),
    },
  };
}
