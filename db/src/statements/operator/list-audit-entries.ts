import type { Timestamp } from '@surety/contracts';
import type { AccountId, TransferId } from '@surety/domain';
import {
  readBigint,
  readCount,
  readText,
  readTextOrNull,
  readTime,
  readUuidOrNull,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { count, text, time, uuid, word } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

export interface StoredAuditEntry {
  /** Names the line on its shard, and only there. */
  readonly id: bigint;
  readonly createdAt: Timestamp;
  readonly actor: string;
  readonly action: string;
  readonly transferId: TransferId | null;
  readonly accountId: AccountId | null;
  readonly slot: number;
  readonly reason: string;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

export interface AuditFilter {
  readonly transferId?: TransferId | undefined;
  readonly accountId?: AccountId | undefined;
  readonly actor?: string | undefined;
  /** Lines from this time on. */
  readonly since?: Timestamp | undefined;
  /** Lines older than this one: time first, then id. */
  readonly before?: { readonly createdAt: Timestamp; readonly id: bigint } | undefined;
}

/**
 * Lines of audit_log, newest first.
 * Caller: CLI. Index: by transfer, by account, else audit_log_by_time (created_at) read backwards; an
 * actor is compared on the way. Locks: none. Rows: at most `limit`.
 * @throws StoreError
 */
export function listAuditEntries(
  session: Session,
  filter: AuditFilter,
  limit: number,
): Promise<StoredAuditEntry[]> {
  const sql =
    'SELECT id, created_at, actor, action, transfer_id, account_id, slot, reason, state_before, ' +
    `state_after FROM audit_log FORCE INDEX (${indexFor(filter)}) WHERE ${conditions(filter)} ` +
    `ORDER BY created_at DESC, id DESC LIMIT ${count(limit)}`;
  return readRows(session, sql, readEntry);
}

function indexFor({ transferId, accountId }: AuditFilter): string {
  if (transferId !== undefined) return 'audit_log_by_transfer';
  return accountId === undefined ? 'audit_log_by_time' : 'audit_log_by_account';
}

function conditions({ transferId, accountId, actor, since, before }: AuditFilter): string {
  const all = ['1 = 1'];
  if (transferId !== undefined) all.push(`transfer_id = ${uuid(transferId)}`);
  if (accountId !== undefined) all.push(`account_id = ${word(accountId)}`);
  if (actor !== undefined) all.push(`actor = ${text(actor)}`);
  if (since !== undefined) all.push(`created_at >= ${time(since)}`);
  if (before !== undefined) {
    const at = time(before.createdAt);
    all.push(`created_at <= ${at}`, `(created_at < ${at} OR id < ${before.id})`);
  }
  return all.join(' AND ');
}

function readEntry(row: Row): StoredAuditEntry {
  return {
    id: readBigint(row[0]),
    createdAt: readTime(row[1]),
    actor: readText(row[2]),
    action: readText(row[3]),
    transferId: readUuidOrNull(row[4] ?? null),
    accountId: readTextOrNull(row[5] ?? null),
    slot: readCount(row[6]),
    reason: readText(row[7]),
    before: JSON.parse(readText(row[8])) as StoredAuditEntry['before'],
    after: JSON.parse(readText(row[9])) as StoredAuditEntry['after'],
  };
}
