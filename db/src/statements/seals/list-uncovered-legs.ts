import type { AccountId, TransferId } from '@surety/domain';
import {
  readBigint,
  readBigintOrNull,
  readCount,
  readText,
  readUuid,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { count, text, uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { OFFENDERS_MAX } from '../check/bound.js';

/** A leg that no account's number accounts for. */
export interface UncoveredLeg {
  readonly account: AccountId;
  readonly entrySeq: bigint | null;
  readonly transferId: TransferId;
  readonly step: number;
  readonly leg: number;
  readonly minor: bigint;
}

/** What a page found, and where the next one begins; undefined after the last. */
export interface UncoveredPage<Found, Position> {
  readonly found: readonly Found[];
  readonly next: Position | undefined;
}

/** Ids of system accounts begin with it, and every customer's is before it. */
const SYSTEM = "'~'";

const LEG_COLUMNS = 'l.account_id, l.entry_seq, l.transfer_id, l.step, l.leg, l.amount';

function readUncoveredLeg(row: Row): UncoveredLeg {
  return {
    account: readText(row[0]),
    entrySeq: readBigintOrNull(row[1] ?? null),
    transferId: readUuid(row[2]),
    step: readCount(row[3]),
    leg: readCount(row[4]),
    minor: readBigint(row[5]),
  };
}

/**
 * Legs of customers beyond what their account counts: its row is missing, its number is none of 1 to
 * entry_seq, or it has none. Page by page over the accounts that have legs.
 * Caller: verification, in a snapshot. Index: ledger_entries_by_account, the ranges outside of the
 * counted one. Locks: none. Rows: `accounts` accounts, at most OFFENDERS_MAX legs.
 * @throws StoreError
 */
export async function listUncountedLegs(
  snapshot: Session,
  after: AccountId | undefined,
  accounts: number,
): Promise<UncoveredPage<UncoveredLeg, AccountId>> {
  const from = after === undefined ? '' : `account_id > ${text(after)} AND `;
  const page = await readRows(
    snapshot,
    'SELECT DISTINCT account_id FROM ledger_entries FORCE INDEX (ledger_entries_by_account) ' +
      `WHERE ${from}account_id < ${SYSTEM} ORDER BY account_id LIMIT ${count(accounts)}`,
    (row) => readText(row[0]),
  );
  const [first, last] = [page[0], page.at(-1)];
  if (first === undefined || last === undefined) return { found: [], next: undefined };
  const range = `i.account_id BETWEEN ${text(first)} AND ${text(last)}`;
  // The inner read is of the index alone; only what it finds is looked up.
  const sql =
    `SELECT ${LEG_COLUMNS} FROM (SELECT i.transfer_id, i.step, i.leg ` +
    'FROM ledger_entries AS i FORCE INDEX (ledger_entries_by_account) ' +
    `LEFT JOIN accounts AS a FORCE INDEX (PRIMARY) ON a.id = i.account_id WHERE ${range} ` +
    'AND (a.id IS NULL OR i.entry_seq IS NULL OR i.entry_seq < 1 OR i.entry_seq > a.entry_seq) ' +
    `ORDER BY i.account_id, i.entry_seq LIMIT ${OFFENDERS_MAX}) AS o ` +
    'JOIN ledger_entries AS l ON l.transfer_id = o.transfer_id AND l.step = o.step ' +
    'AND l.leg = o.leg ORDER BY l.account_id, l.entry_seq';
  const found = await readRows(snapshot, sql, readUncoveredLeg);
  return { found, next: page.length < accounts ? undefined : last };
}

/**
 * Legs of system accounts in steps without a customer's entry: no account's numbers lead to them. One
 * that carries a number all the same is no customer's for it.
 * Caller: verification, in a snapshot. Index: PRIMARY (transfer_id, step, leg), a range, each with its
 * own step. Locks: none. Rows: about `rows` legs are read, at most OFFENDERS_MAX are answered.
 * @throws StoreError
 */
export async function listLoneLegs(
  snapshot: Session,
  after: TransferId | undefined,
  rows: number,
): Promise<UncoveredPage<UncoveredLeg, TransferId>> {
  const next = await boundary(snapshot, 'ledger_entries', after, rows);
  const sql =
    `SELECT ${LEG_COLUMNS} FROM ledger_entries AS l FORCE INDEX (PRIMARY) ` +
    'LEFT JOIN ledger_entries AS c FORCE INDEX (PRIMARY) ' +
    `ON c.transfer_id = l.transfer_id AND c.step = l.step AND c.account_id < ${SYSTEM} ` +
    'AND c.entry_seq IS NOT NULL ' +
    `WHERE ${between('l', after, next)} AND (l.entry_seq IS NULL OR l.account_id >= ${SYSTEM}) ` +
    'AND c.transfer_id IS NULL ' +
    `ORDER BY l.transfer_id, l.step, l.leg LIMIT ${OFFENDERS_MAX}`;
  return { found: await readRows(snapshot, sql, readUncoveredLeg), next };
}

/** An event of a step that posts, without a customer's entry of that step. */
export interface UnpostedEvent {
  readonly transferId: TransferId;
  readonly step: number;
  readonly type: string;
  readonly envelope: string;
}

/**
 * Events that say that money was posted, whose step has no customer's entry.
 * Caller: verification, in a snapshot. Index: PRIMARY of transfer_events, a range; PRIMARY of
 * ledger_entries for each. Locks: none. Rows: about `rows` are read, at most OFFENDERS_MAX answered.
 * @throws StoreError
 */
export async function listUnpostedEvents(
  snapshot: Session,
  after: TransferId | undefined,
  rows: number,
): Promise<UncoveredPage<UnpostedEvent, TransferId>> {
  const next = await boundary(snapshot, 'transfer_events', after, rows);
  const sql =
    'SELECT v.transfer_id, v.step, v.type, v.envelope FROM transfer_events AS v ' +
    'FORCE INDEX (PRIMARY) LEFT JOIN ledger_entries AS c FORCE INDEX (PRIMARY) ' +
    `ON c.transfer_id = v.transfer_id AND c.step = v.step AND c.account_id < ${SYSTEM} ` +
    'AND c.entry_seq IS NOT NULL ' +
    `WHERE ${between('v', after, next)} AND v.type IN ('credited', 'committed') ` +
    `AND c.transfer_id IS NULL ORDER BY v.transfer_id, v.step LIMIT ${OFFENDERS_MAX}`;
  const found = await readRows(snapshot, sql, (row) => ({
    transferId: readUuid(row[0]),
    step: readCount(row[1]),
    type: readText(row[2]),
    envelope: readText(row[3]),
  }));
  return { found, next };
}

/** The transfer that ends a page: pages never cut through a transfer. undefined: up to the end. */
async function boundary(
  snapshot: Session,
  table: 'ledger_entries' | 'transfer_events',
  after: TransferId | undefined,
  rows: number,
): Promise<TransferId | undefined> {
  const range = after === undefined ? '' : `WHERE transfer_id > ${uuid(after)} `;
  const [last] = await readRows(
    snapshot,
    `SELECT transfer_id FROM ${table} FORCE INDEX (PRIMARY) ${range}` +
      `ORDER BY transfer_id LIMIT 1 OFFSET ${count(rows)}`,
    (row) => readUuid(row[0]),
  );
  return last;
}

function between(
  table: string,
  after: TransferId | undefined,
  upTo: TransferId | undefined,
): string {
  const lower = after === undefined ? 'TRUE' : `${table}.transfer_id > ${uuid(after)}`;
  return upTo === undefined ? lower : `${lower} AND ${table}.transfer_id <= ${uuid(upTo)}`;
}
