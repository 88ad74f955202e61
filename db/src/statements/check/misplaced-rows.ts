import { SLOT_COUNT } from '@surety/domain';
import type { SlotMap } from '@surety/domain';
import { readCount, readHex, readText, readUuid } from '../../connection/cells.js';
import type { Cell, Row } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from './bound.js';
import { foreignTo } from './foreign-slots.js';

/** Tables whose rows say their slot, in the order in which they are looked through. */
const TABLES = [
  'accounts',
  'transfers',
  'transfer_events',
  'decisions',
  'ledger_entries',
  'idempotency_keys',
  'balances',
  'transaction_status',
] as const;

export type SlottedTable = (typeof TABLES)[number];

/** A row in another slot than that of its account or its transfer, or on another shard than its slot's. */
export interface MisplacedRow {
  readonly table: SlottedTable;
  /** Of the account or the transfer; of a key its hash, in hex digits. */
  readonly id: string;
  /** Of an event or a leg; null elsewhere. */
  readonly step: number | null;
  readonly slot: number;
  /** Where it belongs; null where no id tells: of a system account's leg, of an opening's key. */
  readonly rightSlot: number | null;
}

/** As `slotOfAccount` has it: CRC32() is the same CRC-32, and ids are ASCII. */
function slotOfAccount(column: string): string {
  return `CRC32(${column}) % ${SLOT_COUNT}`;
}

/** As `slotOfTransferId` has it: the 12 bits behind the version, in bytes 7 and 8. */
function slotOfTransferId(column: string): string {
  return `(ASCII(SUBSTRING(${column}, 7, 1)) & 15) * 256 + ASCII(SUBSTRING(${column}, 8, 1))`;
}

/** Ids of system accounts begin with it, and every customer's is before it. */
const SYSTEM = "'~'";

/** Whether an account's id belongs to the slot of `row`; a system account's names slot and currency. */
function isOfSlot(column: string, row: string): string {
  const named = ['transit', 'external'].map(
    (kind) => `CONCAT('~${kind}:', ${row}.slot, ':', ${row}.currency)`,
  );
  return (
    `CASE WHEN ${column} < ${SYSTEM} THEN ${row}.slot = ${slotOfAccount(column)} ` +
    `ELSE ${column} IN (${named.join(', ')}) END`
  );
}

const CUSTOMERS = (column: string): string =>
  `CASE WHEN ${column} < ${SYSTEM} THEN ${slotOfAccount(column)} END`;

const OF_TRANSFER = slotOfTransferId('t.id');
const OF_EVENT = `CASE WHEN v.step = 30 THEN d.slot ELSE ${slotOfTransferId('v.transfer_id')} END`;
const OF_KEY = slotOfTransferId('k.transfer_id');
const OF_STATUS = slotOfTransferId('s.transfer_id');

/** Each answers with the id, the step, the slot and the right one, in the order of its key. */
function statementsFor(
  foreign: (column: string) => string,
): Readonly<Record<SlottedTable, string>> {
  return {
    accounts:
      `SELECT a.id, NULL, a.slot, ${slotOfAccount('a.id')} FROM accounts AS a FORCE INDEX (PRIMARY) ` +
      `WHERE a.slot <> ${slotOfAccount('a.id')} OR ${foreign('a.slot')} ORDER BY a.id`,
    transfers:
      `SELECT t.id, NULL, t.slot, CASE WHEN t.slot <> ${OF_TRANSFER} THEN ${OF_TRANSFER} ` +
      `ELSE ${CUSTOMERS('t.source')} END FROM transfers AS t FORCE INDEX (PRIMARY) ` +
      `WHERE t.slot <> ${OF_TRANSFER} OR NOT ${isOfSlot('t.source', 't')} ` +
      `OR ${foreign('t.slot')} ORDER BY t.id`,
    transfer_events:
      `SELECT v.transfer_id, v.step, v.slot, ${OF_EVENT} FROM transfer_events AS v ` +
      'FORCE INDEX (PRIMARY) LEFT JOIN decisions AS d FORCE INDEX (PRIMARY) ' +
      'ON v.step = 30 AND d.transfer_id = v.transfer_id AND d.part = 0 ' +
      `WHERE v.slot <> ${OF_EVENT} OR ${foreign('v.slot')} ORDER BY v.transfer_id, v.step`,
    decisions:
      `SELECT d.transfer_id, NULL, d.slot, ${CUSTOMERS('d.destination')} FROM decisions AS d ` +
      `FORCE INDEX (PRIMARY) WHERE NOT ${isOfSlot('d.destination', 'd')} ` +
      `OR ${foreign('d.slot')} ORDER BY d.transfer_id, d.part`,
    ledger_entries:
      `SELECT l.transfer_id, l.step, l.slot, ${CUSTOMERS('l.account_id')} FROM ledger_entries AS l ` +
      `FORCE INDEX (PRIMARY) WHERE NOT ${isOfSlot('l.account_id', 'l')} ` +
      `OR ${foreign('l.slot')} ORDER BY l.transfer_id, l.step, l.leg`,
    idempotency_keys:
      `SELECT k.key_hash, NULL, k.slot, ${OF_KEY} FROM idempotency_keys AS k FORCE INDEX (PRIMARY) ` +
      `WHERE (k.transfer_id IS NOT NULL AND k.slot <> ${OF_KEY}) OR ${foreign('k.slot')} ` +
      'ORDER BY k.slot, k.key_hash',
    balances:
      `SELECT b.account_id, NULL, b.slot, ${slotOfAccount('b.account_id')} FROM balances AS b ` +
      `FORCE INDEX (PRIMARY) WHERE b.slot <> ${slotOfAccount('b.account_id')} ` +
      `OR ${foreign('b.slot')} ORDER BY b.account_id`,
    transaction_status:
      `SELECT s.transfer_id, NULL, s.slot, ${OF_STATUS} FROM transaction_status AS s ` +
      `FORCE INDEX (PRIMARY) WHERE s.slot <> ${OF_STATUS} OR ${foreign('s.slot')} ` +
      'ORDER BY s.transfer_id',
  };
}

const READ_ID: Readonly<Record<SlottedTable, (cell: Cell | undefined) => string>> = {
  accounts: readText,
  transfers: readUuid,
  transfer_events: readUuid,
  decisions: readUuid,
  ledger_entries: readUuid,
  idempotency_keys: readHex,
  balances: readText,
  transaction_status: readUuid,
};

/**
 * Rows that would be left behind, or taken along, when a slot is moved: their slot is not that of
 * their account (crc32 of its id) or their transfer (in its id); an event of a decision is where its
 * decision is. And rows that were left behind: nobody looks for their slot on this shard. Holds and
 * open_transfers are compared with their transfers by checks of their own.
 * Caller: checks, in a snapshot. Index: one scan of PRIMARY of each table; PRIMARY of decisions for the
 * events of theirs. Locks: none. Rows: at most OFFENDERS_MAX of each table, all in one round trip.
 * @param map of the instant of the snapshot
 * @throws StoreError
 */
export async function misplacedRows(snapshot: Session, map: SlotMap): Promise<MisplacedRow[]> {
  const statements = statementsFor(foreignTo(snapshot.id, map));
  const results = await snapshot.send(
    TABLES.map((table) => `${statements[table]} LIMIT ${OFFENDERS_MAX}`),
  );
  return TABLES.flatMap((table, at) =>
    (results[at]?.rows ?? []).map((row) => misplacedRow(table, row)),
  );
}

function misplacedRow(table: SlottedTable, row: Row): MisplacedRow {
  const [id, step = null, slot, rightSlot = null] = row;
  return {
    table,
    id: READ_ID[table](id),
    step: step === null ? null : readCount(step),
    slot: readCount(slot),
    rightSlot: rightSlot === null ? null : readCount(rightSlot),
  };
}
