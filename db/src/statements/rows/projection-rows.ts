import type { Timestamp } from '@surety/contracts';
import type { AccountId, Reason, TransferId, TransferStatus } from '@surety/domain';
import {
  readBigint,
  readCount,
  readText,
  readTextOrNull,
  readTime,
  readUuid,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';

/** One row of `balances`. Sums in minor units; `version` is the account's. */
export interface BalanceRow {
  readonly accountId: AccountId;
  readonly slot: number;
  readonly currency: string;
  readonly balance: bigint;
  readonly held: bigint;
  readonly version: bigint;
  readonly updatedAt: Timestamp;
}

/**
 * One row of `transaction_status`; `version` is the number of the last step of the source. Ends alone
 * are projected; a row with another status is from a release that projected every step.
 */
export interface StatusRow {
  readonly transferId: TransferId;
  readonly slot: number;
  readonly status: TransferStatus;
  readonly reason: Reason | null;
  readonly version: number;
  readonly updatedAt: Timestamp;
}

export const BALANCE_COLUMNS = 'account_id, slot, currency, balance, held, version, updated_at';
/** States that nothing follows, as a list of SQL. */
export const ENDS = "('committed', 'rejected', 'cancelled')";
/**
 * Of a transfer `t` and what is projected of it, `s` or nothing: an end that is not told, or a status
 * or reason that is not the transfer's. A transfer that is under way needs no row.
 */
export const STATUS_DIFFERS =
  `((s.status IS NULL AND t.state IN ${ENDS}) OR s.status <> t.state ` +
  'OR (s.status IS NOT NULL AND NOT (s.reason <=> t.reason)))';
export const STATUS_COLUMNS = 'transfer_id, slot, status, reason, version, updated_at';

export function readBalanceRow(row: Row): BalanceRow {
  return {
    accountId: readText(row[0]),
    slot: readCount(row[1]),
    currency: readText(row[2]),
    balance: readBigint(row[3]),
    held: readBigint(row[4]),
    version: readBigint(row[5]),
    updatedAt: readTime(row[6]),
  };
}

export function readStatusRow(row: Row): StatusRow {
  return {
    transferId: readUuid(row[0]),
    slot: readCount(row[1]),
    status: readText(row[2]) as TransferStatus,
    reason: readTextOrNull(row[3]) as Reason | null,
    version: readCount(row[4]),
    updatedAt: readTime(row[5]),
  };
}
