import { InvariantViolation } from '@surety/domain';
import type { Decision, Reason } from '@surety/domain';
import type { DecisionRow } from '@surety/saga';
import {
  readBigint,
  readCount,
  readText,
  readTextOrNull,
  readUuid,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';

export const DECISION_COLUMNS =
  'transfer_id, slot, outcome, reason, source, destination, amount, currency';

export function readDecisionRow(row: Row): DecisionRow {
  const transferId = readUuid(row[0]);
  return {
    transferId,
    slot: readCount(row[1]),
    decision: decisionOf(transferId, readText(row[2]), readTextOrNull(row[3])),
    source: readText(row[4]),
    destination: readText(row[5]),
    amountMinor: readBigint(row[6]),
    currency: readText(row[7]),
  };
}

function decisionOf(transferId: string, outcome: string, reason: string | null): Decision {
  if (outcome === 'credited') return { outcome };
  if ((outcome === 'refused' || outcome === 'voided') && reason !== null) {
    return { outcome, reason: reason as Reason };
  }
  throw new InvariantViolation(`decision of ${transferId} is ${outcome} for ${String(reason)}`);
}
