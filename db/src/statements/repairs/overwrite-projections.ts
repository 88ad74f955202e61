import type { Timestamp } from '@surety/contracts';
import type { Account, AccountId, TransferId } from '@surety/domain';
import type { AuditEntry, TransferRow } from '@surety/saga';
import { readCount, readText, readTextOrNull, readTime, readUuid } from '../../connection/cells.js';
import { count, time, uuid, word, wordOrNull } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { insertAudit } from '../transact/insert-audit.js';
import { lockAccounts } from '../transact/lock-accounts.js';
import { lockTransfers } from '../transact/lock-transfers.js';
import {
  BALANCE_COLUMNS,
  ENDS,
  STATUS_COLUMNS,
  readBalanceRow,
  readStatusRow,
} from '../rows/projection-rows.js';
import type { BalanceRow, StatusRow } from '../rows/projection-rows.js';
import { IS_SAID_BY_LAST_LEG } from '../reconciler/list-stale-balances.js';
import { TOLD_REASON } from '../reconciler/list-stale-statuses.js';
import { inLockOrder } from '../transact/shape.js';

/** Accounts with what is projected of them. */
export interface BalanceEvidence {
  readonly accounts: ReadonlyMap<AccountId, Account>;
  readonly projected: ReadonlyMap<AccountId, BalanceRow>;
  /** Accounts that their own last leg contradicts: no truth to copy. */
  readonly inDoubt: ReadonlySet<AccountId>;
}

/**
 * Locks the accounts, so that their versions stand still, and reads their projections.
 * Caller: corrections. Index: PRIMARY of both, ledger_entries_by_account for the last leg of each.
 * Locks: the rows of accounts, ascending. Rows: at most those asked for, VALUES_MAX at most.
 * @throws StoreError
 */
export async function readBalanceEvidence(
  session: Session,
  ids: readonly AccountId[],
): Promise<BalanceEvidence> {
  const lock = lockAccounts(ids);
  const list = inLockOrder(ids).map(word).join(', ');
  const [accounts, projected, inDoubt] = await session.send([
    ...lock.statements,
    `SELECT ${BALANCE_COLUMNS} FROM balances WHERE account_id IN (${list})`,
    `SELECT a.id FROM accounts AS a WHERE a.id IN (${list}) AND NOT ${IS_SAID_BY_LAST_LEG}`,
  ]);
  return {
    accounts: new Map((accounts?.rows ?? []).map(lock.read).map((row) => [row.id, row])),
    projected: new Map(
      (projected?.rows ?? []).map(readBalanceRow).map((row) => [row.accountId, row]),
    ),
    inDoubt: new Set((inDoubt?.rows ?? []).map((row) => readText(row[0]))),
  };
}

/** A transfer with its last own step and what is projected of it. */
export interface StatusEvidence {
  readonly transfers: ReadonlyMap<TransferId, TransferRow>;
  readonly events: readonly {
    readonly transferId: TransferId;
    readonly step: number;
    readonly type: string;
    readonly occurredAt: Timestamp;
    readonly reason: string | null;
  }[];
  readonly projected: ReadonlyMap<TransferId, StatusRow>;
}

/**
 * Locks the transfers, so that their states stand still, and reads their projections and own events.
 * Caller: corrections. Index: PRIMARY of each table. Locks: the rows of transfers, ascending. Rows: at
 * most those asked for, VALUES_MAX at most.
 * @throws StoreError
 */
export async function readStatusEvidence(
  session: Session,
  ids: readonly TransferId[],
): Promise<StatusEvidence> {
  const lock = lockTransfers(ids);
  const list = inLockOrder(ids).map(uuid).join(', ');
  const [transfers, events, projected] = await session.send([
    ...lock.statements,
    `SELECT transfer_id, step, type, occurred_at, ${TOLD_REASON} ` +
      'FROM transfer_events AS e FORCE INDEX (PRIMARY) ' +
      `WHERE transfer_id IN (${list}) AND step <> 30 ORDER BY transfer_id, step`,
    `SELECT ${STATUS_COLUMNS} FROM transaction_status WHERE transfer_id IN (${list})`,
  ]);
  return {
    transfers: new Map((transfers?.rows ?? []).map(lock.read).map((row) => [row.id, row])),
    events: (events?.rows ?? []).map((row) => ({
      transferId: readUuid(row[0]),
      step: readCount(row[1]),
      type: readText(row[2]),
      occurredAt: readTime(row[3]),
      reason: readTextOrNull(row[4]),
    })),
    projected: new Map(
      (projected?.rows ?? []).map(readStatusRow).map((row) => [row.transferId, row]),
    ),
  };
}

/**
 * Puts in place of whatever is projected what the locked accounts say, be it older or newer.
 * Caller: corrections. Index: PRIMARY (account_id). Locks: those rows. Rows: those given.
 */
export function overwriteBalances(accounts: readonly Account[]): string[] {
  if (accounts.length === 0) return [];
  const values = accounts.map(
    ({ id, slot, currency, balance, held, version }) =>
      `(${word(id)},${count(slot)},${word(currency)},${balance},${held},${version},NOW(6))`,
  );
  return [
    `INSERT INTO balances (${BALANCE_COLUMNS}) VALUES ${values.join(',')} ` +
      'ON DUPLICATE KEY UPDATE slot = VALUES(slot), currency = VALUES(currency), ' +
      'balance = VALUES(balance), held = VALUES(held), version = VALUES(version), ' +
      'updated_at = VALUES(updated_at)',
  ];
}

/**
 * Puts in place of whatever is projected what the locked transfers say, be it older or newer.
 * Caller: corrections. Index: PRIMARY (transfer_id). Locks: those rows. Rows: those given.
 */
export function overwriteStatuses(rows: readonly StatusRow[]): string[] {
  if (rows.length === 0) return [];
  const values = rows.map(
    ({ transferId, slot, status, reason, version, updatedAt }) =>
      `(${uuid(transferId)},${count(slot)},${word(status)},${wordOrNull(reason)},` +
      `${count(version)},${time(updatedAt)})`,
  );
  return [
    `INSERT INTO transaction_status (${STATUS_COLUMNS}) VALUES ${values.join(',')} ` +
      'ON DUPLICATE KEY UPDATE slot = VALUES(slot), status = VALUES(status), ' +
      'reason = VALUES(reason), version = VALUES(version), updated_at = VALUES(updated_at)',
  ];
}

/**
 * Removes projections of what does not exist, and statuses of transfers that have not ended: looked for
 * once more in the same statement.
 * Caller: corrections. Index: PRIMARY of both. Locks: those rows. Rows: those given.
 */
export function deleteStrayProjections(
  accounts: readonly AccountId[],
  transfers: readonly TransferId[],
): string[] {
  const statements: string[] = [];
  if (accounts.length > 0) {
    statements.push(
      'DELETE b FROM balances AS b LEFT JOIN accounts AS a ON a.id = b.account_id ' +
        `WHERE b.account_id IN (${inLockOrder(accounts).map(word).join(', ')}) AND a.id IS NULL`,
    );
  }
  if (transfers.length > 0) {
    statements.push(
      'DELETE s FROM transaction_status AS s LEFT JOIN transfers AS t ON t.id = s.transfer_id ' +
        `WHERE s.transfer_id IN (${inLockOrder(transfers).map(uuid).join(', ')}) ` +
        `AND (t.id IS NULL OR t.state NOT IN ${ENDS})`,
    );
  }
  return statements;
}

/** The lines of audit_log of a correction of projections: last of its writes. */
export function auditLines(entries: readonly AuditEntry[]): string[] {
  return insertAudit(entries);
}
