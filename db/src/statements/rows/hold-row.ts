import type { HoldRow } from '@surety/saga';
import { readBigint, readCount, readText, readTime, readUuid } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';

export const HOLD_COLUMNS = 'transfer_id, slot, account_id, amount, expires_at';

export function readHoldRow(row: Row): HoldRow {
  return {
    transferId: readUuid(row[0]),
    slot: readCount(row[1]),
    account: readText(row[2]),
    amountMinor: readBigint(row[3]),
    expiresAt: readTime(row[4]),
  };
}
