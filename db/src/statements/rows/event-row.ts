import type { Step, TransferEventType } from '@surety/domain';
import type { EventRow } from '@surety/saga';
import { readCount, readText, readTime, readUuid } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';

export const EVENT_COLUMNS = 'transfer_id, step, slot, type, occurred_at, envelope';

export function readEventRow(row: Row): EventRow {
  return {
    transferId: readUuid(row[0]),
    step: readCount(row[1]) as Step,
    slot: readCount(row[2]),
    type: readText(row[3]) as TransferEventType,
    occurredAt: readTime(row[4]),
    envelope: readText(row[5]),
  };
}
