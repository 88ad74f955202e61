import type { Timestamp } from '@surety/contracts';
import type { Step, TransferEventType, TransferId } from '@surety/domain';
import type { AuditEntry, HoldRow, TransferRow } from '@surety/saga';
import { readBigint, readCount, readFlag, readText, readTime } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { count, time, uuid } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { HOLD_COLUMNS, readHoldRow } from '../rows/hold-row.js';
import { LISTED_BELOW } from '../rows/open-transfers.js';
import { insertAudit } from '../transact/insert-audit.js';
import { insertHolds } from '../transact/insert-holds.js';
import { lockTransfers } from '../transact/lock-transfers.js';
import { guard } from '../transact/shape.js';
import { updateTransfers } from '../transact/update-transfers.js';

export interface EventEvidence {
  readonly step: Step;
  readonly type: TransferEventType;
  readonly occurredAt: Timestamp;
  readonly envelope: string;
}

export interface OpenEvidence {
  readonly slot: number;
  readonly since: Timestamp;
}

export interface LegEvidence {
  readonly step: Step;
  readonly account: string;
  readonly slot: number;
  readonly currency: string;
  readonly minor: bigint;
}

/** Everything that the source's shard has about one transfer. */
export interface TransferEvidence {
  readonly transfer: TransferRow | undefined;
  readonly events: readonly EventEvidence[];
  readonly hold: HoldRow | undefined;
  readonly open: readonly OpenEvidence[];
  /** Whether its place is in open_transfers while it is open: newer ones are not listed. */
  readonly isListedWhileOpen: boolean;
  readonly legs: readonly LegEvidence[];
}

/**
 * Locks the transfer, so that no step of it is taken meanwhile, and reads all there is about it.
 * Caller: corrections. Index: PRIMARY of each table, a scan of open_transfers (open ones only: a row
 * under a wrong key is found, too). Locks: the row of transfers. Rows: those of one transfer, in one
 * round trip.
 * @throws StoreError
 */
export async function readTransferEvidence(
  session: Session,
  id: TransferId,
): Promise<TransferEvidence> {
  const lock = lockTransfers([id]);
  const of = `WHERE transfer_id = ${uuid(id)}`;
  const results = await session.send([
    ...lock.statements,
    'SELECT step, type, occurred_at, envelope FROM transfer_events FORCE INDEX (PRIMARY) ' +
      `${of} ORDER BY step`,
    `SELECT ${HOLD_COLUMNS} FROM holds FORCE INDEX (PRIMARY) ${of}`,
    `SELECT slot, since FROM open_transfers ${of} ORDER BY slot, since`,
    'SELECT step, account_id, slot, currency, amount FROM ledger_entries ' +
      `FORCE INDEX (PRIMARY) ${of} ORDER BY step, leg`,
    `SELECT ${uuid(id)} < ${LISTED_BELOW}`,
  ]);
  const rowsOf = (at: number): readonly Row[] => results[at]?.rows ?? [];
  return {
    transfer: rowsOf(0).map(lock.read)[0],
    events: rowsOf(1).map(readEventEvidence),
    hold: rowsOf(2).map(readHoldRow)[0],
    open: rowsOf(3).map((row) => ({ slot: readCount(row[0]), since: readTime(row[1]) })),
    legs: rowsOf(4).map(readLegEvidence),
    isListedWhileOpen: readFlag(rowsOf(5)[0]?.[0]),
  };
}

function readEventEvidence(row: Row): EventEvidence {
  return {
    step: readCount(row[0]) as Step,
    type: readText(row[1]) as TransferEventType,
    occurredAt: readTime(row[2]),
    envelope: readText(row[3]),
  };
}

function readLegEvidence(row: Row): LegEvidence {
  return {
    step: readCount(row[0]) as Step,
    account: readText(row[1]),
    slot: readCount(row[2]),
    currency: readText(row[3]),
    minor: readBigint(row[4]),
  };
}

/** What a transfer's rows must be. What is absent here stays as it is. */
export interface TransferCorrection {
  readonly state?: Pick<TransferRow, 'state' | 'reason'>;
  /** The hold that must be there, or null for none. */
  readonly hold?: HoldRow | null;
  /** Where the transfer must be listed as open, or null for nowhere. */
  readonly open?: OpenEvidence | null;
}

/**
 * Sets right what stands around one locked transfer, with its line of audit_log.
 * Caller: corrections. Index: PRIMARY of each table. Locks: rows of this transfer alone, under the
 * lock of its row. Rows: at most one of each table. Fewer affected rows mean that something is not
 * what was read: the guard stops the packet.
 */
export function writeTransferCorrection(
  { transfer, hold, open }: TransferEvidence & { readonly transfer: TransferRow },
  correction: TransferCorrection,
  audit: AuditEntry,
): string[] {
  const id = uuid(transfer.id);
  return [
    ...setState(transfer, correction.state),
    ...(correction.hold === undefined ? [] : replaceHold(id, hold, correction.hold)),
    ...(correction.open === undefined ? [] : replaceOpen(id, open, correction.open)),
    ...insertAudit([audit]),
  ];
}

function setState(transfer: TransferRow, state: TransferCorrection['state']): string[] {
  if (!state) return [];
  const { id, slot, requestedAt, state: from } = transfer;
  return updateTransfers([{ id, from, to: state.state, reason: state.reason, slot, requestedAt }]);
}

function replaceHold(id: string, stands: HoldRow | undefined, must: HoldRow | null): string[] {
  return [
    ...(stands ? [`DELETE FROM holds WHERE transfer_id = ${id}`, guard(1)] : []),
    ...(must ? insertHolds([must]) : []),
  ];
}

function replaceOpen(
  id: string,
  stand: readonly OpenEvidence[],
  must: OpenEvidence | null,
): string[] {
  const statements = stand.flatMap(({ slot, since }) => [
    `DELETE FROM open_transfers WHERE slot = ${count(slot)} AND since = ${time(since)} ` +
      `AND transfer_id = ${id}`,
    guard(1),
  ]);
  if (!must) return statements;
  const values = `(${count(must.slot)}, ${time(must.since)}, ${id})`;
  return [...statements, `INSERT INTO open_transfers (slot, since, transfer_id) VALUES ${values}`];
}
