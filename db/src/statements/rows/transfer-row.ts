import type { Capture, Reason, TransferKind, TransferStatus } from '@surety/domain';
import type { TransferRow } from '@surety/saga';
import {
  readBigint,
  readCount,
  readText,
  readTextOrNull,
  readTime,
  readUuid,
  readUuidOrNull,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';

export const TRANSFER_COLUMNS =
  'id, slot, kind, parent_id, tenant, source, destination, amount, currency, capture, state, ' +
  'reason, requested_at';

export function readTransferRow(row: Row): TransferRow {
  return {
    id: readUuid(row[0]),
    slot: readCount(row[1]),
    kind: readText(row[2]) as TransferKind,
    parentId: readUuidOrNull(row[3]),
    tenant: readText(row[4]),
    source: readText(row[5]),
    destination: readText(row[6]),
    amountMinor: readBigint(row[7]),
    currency: readText(row[8]),
    capture: readText(row[9]) as Capture,
    state: readText(row[10]) as TransferStatus,
    reason: readTextOrNull(row[11]) as Reason | null,
    requestedAt: readTime(row[12]),
  };
}
