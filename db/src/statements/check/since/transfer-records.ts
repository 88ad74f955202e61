import type {
  Reason,
  Step,
  TransferEventType,
  TransferId,
  TransferKind,
  TransferStatus,
} from '@surety/domain';
import type { DecisionRow, TransferRow } from '@surety/saga';
import {
  readBigint,
  readCount,
  readFlag,
  readText,
  readTextOrNull,
  readUuid,
} from '../../../connection/cells.js';
import type { Cell, Row } from '../../../connection/cells.js';
import { count, uuid } from '../../../connection/literals.js';
import { readRows } from '../../../connection/session.js';
import type { Session } from '../../../connection/session.js';
import { DECISION_COLUMNS, readDecisionRow } from '../../rows/decision-row.js';
import { LISTED_BELOW } from '../../rows/open-transfers.js';
import { inLockOrder } from '../../transact/shape.js';
import { TermsReader } from './told-terms.js';

/** Which transfers to read: a range of ids, or at most VALUES_MAX single ones. */
export type TransferSelection =
  | { readonly from: TransferId; readonly below: TransferId | undefined }
  | { readonly ids: readonly TransferId[] };

/** Of a transfer what checks compare. */
export type ComparedTransfer = Pick<
  TransferRow,
  | ('id' | 'slot' | 'kind' | 'source' | 'destination')
  | ('amountMinor' | 'currency' | 'state' | 'reason')
>;

export interface RecordedTransfer {
  readonly transfer: ComparedTransfer;
  readonly isListedAsOpen: boolean;
  /** Whether it must be listed while it is open: newer ones are not. */
  readonly isListedWhileOpen: boolean;
}

export interface RecordedEvent {
  readonly transferId: TransferId;
  readonly step: Step;
  readonly slot: number;
  readonly type: TransferEventType;
  /** Amount, currency, source and destination as the envelope has them; null where it is no JSON. */
  readonly told: string | null;
}

export interface RecordedLeg {
  readonly transferId: TransferId;
  readonly step: Step;
  readonly account: string;
  readonly slot: number;
  readonly currency: string;
  readonly minor: bigint;
}

export interface RecordedStatus {
  readonly transferId: TransferId;
  readonly slot: number;
  readonly status: TransferStatus;
  readonly reason: string | null;
  readonly version: bigint;
}

/** Everything that one shard says about some transfers, whoever else has rows about them. */
export interface TransferRecords {
  readonly transfers: readonly RecordedTransfer[];
  readonly events: readonly RecordedEvent[];
  readonly decisions: readonly DecisionRow[];
  readonly legs: readonly RecordedLeg[];
  readonly statuses: readonly RecordedStatus[];
}

/**
 * Caller: checks, in a snapshot. Index: PRIMARY of each table, one range, or one lookup for each id;
 * PRIMARY of open_transfers for those that are open. Locks: none. Rows: those of the selection, in
 * one round trip; a range is as long as `transferIdAfter` has cut it.
 * @throws StoreError
 */
export async function readTransferRecords(
  snapshot: Session,
  selection: TransferSelection,
): Promise<TransferRecords> {
  const within = (column: string): string => condition(column, selection);
  const results = await snapshot.send([
    `SELECT ${COMPARED_COLUMNS}, o.transfer_id IS NOT NULL, t.id < ${LISTED_BELOW} ` +
      'FROM transfers AS t FORCE INDEX (PRIMARY) LEFT JOIN open_transfers AS o ' +
      'ON o.slot = t.slot AND o.since = t.requested_at AND o.transfer_id = t.id ' +
      `WHERE ${within('t.id')}`,
    `SELECT transfer_id, step, type, envelope, slot FROM transfer_events FORCE INDEX (PRIMARY) ` +
      `WHERE ${within('transfer_id')}`,
    `SELECT ${DECISION_COLUMNS} FROM decisions FORCE INDEX (PRIMARY) ` +
      `WHERE ${within('transfer_id')} AND part = 0`,
    'SELECT transfer_id, step, account_id, slot, currency, amount ' +
      `FROM ledger_entries FORCE INDEX (PRIMARY) WHERE ${within('transfer_id')}`,
    'SELECT transfer_id, status, reason, version, slot FROM transaction_status FORCE INDEX (PRIMARY) ' +
      `WHERE ${within('transfer_id')}`,
  ]);
  const rowsOf = (at: number): readonly Row[] => results[at]?.rows ?? [];
  const ids = new IdReader();
  const terms = new TermsReader();
  return {
    transfers: rowsOf(0).map((row) => recordedTransfer(row)),
    events: rowsOf(1).map((row) => recordedEvent(row, ids.read(row[0]), terms)),
    decisions: rowsOf(2).map((row) => readDecisionRow(row)),
    legs: rowsOf(3).map((row) => recordedLeg(row, ids.read(row[0]))),
    statuses: rowsOf(4).map((row) => recordedStatus(row, ids.read(row[0]))),
  };
}

/** Rows about one transfer come one after the other: its id is put into words once for all of them. */
class IdReader {
  #cell: Buffer | undefined;
  #id: TransferId = '';

  read(cell: Cell | undefined): TransferId {
    if (cell instanceof Buffer) {
      if (this.#cell?.equals(cell)) return this.#id;
      this.#cell = cell;
    }
    this.#id = readUuid(cell);
    return this.#id;
  }
}

function condition(column: string, selection: TransferSelection): string {
  if ('ids' in selection) {
    return `${column} IN (${inLockOrder(selection.ids).map(uuid).join(', ')})`;
  }
  const { from, below } = selection;
  return `${column} >= ${uuid(from)}${below ? ` AND ${column} < ${uuid(below)}` : ''}`;
}

const COMPARED_COLUMNS =
  't.id, t.slot, t.kind, t.source, t.destination, t.amount, t.currency, t.state, t.reason';

function recordedTransfer(row: Row): RecordedTransfer {
  return {
    transfer: {
      id: readUuid(row[0]),
      slot: readCount(row[1]),
      kind: readText(row[2]) as TransferKind,
      source: readText(row[3]),
      destination: readText(row[4]),
      amountMinor: readBigint(row[5]),
      currency: readText(row[6]),
      state: readText(row[7]) as TransferStatus,
      reason: readTextOrNull(row[8]) as Reason | null,
    },
    isListedAsOpen: readFlag(row[9]),
    isListedWhileOpen: readFlag(row[10]),
  };
}

function recordedEvent(row: Row, transferId: TransferId, terms: TermsReader): RecordedEvent {
  return {
    transferId,
    step: readCount(row[1]) as Step,
    type: readText(row[2]) as TransferEventType,
    told: terms.read(readText(row[3])),
    slot: readCount(row[4]),
  };
}

function recordedLeg(row: Row, transferId: TransferId): RecordedLeg {
  return {
    transferId,
    step: readCount(row[1]) as Step,
    account: readText(row[2]),
    slot: readCount(row[3]),
    currency: readText(row[4]),
    minor: readBigint(row[5]),
  };
}

function recordedStatus(row: Row, transferId: TransferId): RecordedStatus {
  return {
    transferId,
    status: readText(row[1]) as TransferStatus,
    reason: readTextOrNull(row[2]),
    version: readBigint(row[3]),
    slot: readCount(row[4]),
  };
}

/**
 * The id that `rows` transfers of this shard lie before, counted from `from`; undefined where fewer
 * are left. Cuts a range into pieces that fit into memory.
 * Caller: checks, in a snapshot, and the reconciler. Index: PRIMARY (id), a range of `rows`. Locks:
 * none. Rows: one.
 * @throws StoreError
 */
export async function transferIdAfter(
  snapshot: Session,
  from: TransferId,
  rows: number,
): Promise<TransferId | undefined> {
  const sql =
    `SELECT id FROM transfers FORCE INDEX (PRIMARY) WHERE id >= ${uuid(from)} ` +
    `ORDER BY id LIMIT 1 OFFSET ${count(rows)}`;
  const [id] = await readRows(snapshot, sql, (row) => readUuid(row[0]));
  return id;
}
