import type { Step, TransferId } from '@surety/domain';
import { readCount, readText, readUuid } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { count, uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { toldByEvent } from '../rows/told-by-event.js';
import { OFFENDERS_MAX } from './bound.js';

export interface EventTermsMismatch {
  readonly transferId: TransferId;
  readonly step: Step;
  readonly type: string;
}

/**
 * NULL where the envelope does not tell it, or is no JSON at all: that is no agreement either. The
 * reason is told by the event that made the state.
 */
function agrees(row: 'd' | 't'): string {
  return (
    'CASE WHEN JSON_VALID(e.envelope) = 1 THEN ' +
    `CAST(${toldByEvent('amount')} AS DECIMAL(30)) = ${row}.amount ` +
    `AND ${toldByEvent('source')} = ${row}.source ` +
    `AND ${toldByEvent('destination')} = ${row}.destination ` +
    `AND ${toldByEvent('currency')} = ${row}.currency AND ${toldByEvent('type')} = e.type ` +
    `AND (e.type <> ${row}.${row === 'd' ? 'outcome' : 'state'} ` +
    `OR ${toldByEvent('reason')} <=> ${row}.reason) END`
  );
}

/** A step that posts tells the account whose entry it is, as it was after it. */
const TELLS_ENTRY =
  'CASE WHEN JSON_VALID(e.envelope) = 1 THEN ' +
  `${toldByEvent('accountId')} = l.account_id ` +
  `AND CAST(${toldByEvent('accountBalance')} AS DECIMAL(30)) = l.balance_after END`;

/** Rows of the offenders, and where the next page begins; undefined after the last. */
export interface EventTermsPage {
  readonly mismatches: readonly EventTermsMismatch[];
  readonly next: TransferId | undefined;
}

/**
 * Events that tell other terms than the row that they made, or another balance than the entry: one of
 * the two was altered. What is sent and folded again are the events, what a step takes effect on is
 * the row. Page by page, because every envelope is parsed.
 * Caller: checks, in a snapshot. Index: PRIMARY of transfer_events, a range; PRIMARY of decisions, of
 * transfers and of ledger_entries for each. Locks: none. Rows: about `events` are read, at most
 * OFFENDERS_MAX of each kind are answered. Amounts are compared as exact decimals.
 * @throws StoreError
 */
export async function eventTermsMismatches(
  snapshot: Session,
  after: TransferId | undefined,
  events: number,
): Promise<EventTermsPage> {
  const beyond = after === undefined ? '' : `e.transfer_id > ${uuid(after)} AND `;
  const from = 'FROM transfer_events AS e FORCE INDEX (PRIMARY) ';
  const [next] = await readRows(
    snapshot,
    `SELECT e.transfer_id ${from}WHERE ${beyond}TRUE ORDER BY e.transfer_id LIMIT 1 OFFSET ${count(events)}`,
    (row) => readUuid(row[0]),
  );
  const range = next === undefined ? beyond : `${beyond}e.transfer_id <= ${uuid(next)} AND `;
  const page = `ORDER BY e.transfer_id, e.step LIMIT ${OFFENDERS_MAX}`;
  const results = await snapshot.send([
    `SELECT e.transfer_id, e.step, e.type ${from}JOIN decisions AS d FORCE INDEX (PRIMARY) ` +
      'ON d.transfer_id = e.transfer_id AND d.part = 0 ' +
      `WHERE ${range}e.step = 30 AND COALESCE(${agrees('d')}, FALSE) = FALSE ${page}`,
    `SELECT e.transfer_id, e.step, e.type ${from}JOIN transfers AS t FORCE INDEX (PRIMARY) ` +
      'ON t.id = e.transfer_id ' +
      `WHERE ${range}e.step <> 30 AND COALESCE(${agrees('t')}, FALSE) = FALSE ${page}`,
    `SELECT e.transfer_id, e.step, e.type ${from}JOIN ledger_entries AS l FORCE INDEX (PRIMARY) ` +
      'ON l.transfer_id = e.transfer_id AND l.step = e.step AND l.entry_seq IS NOT NULL ' +
      `WHERE ${range}COALESCE(${TELLS_ENTRY}, FALSE) = FALSE ${page}`,
  ]);
  const mismatches = results.flatMap(({ rows }) => rows.map(mismatchOf));
  return { mismatches, next };
}

function mismatchOf(row: Row): EventTermsMismatch {
  return {
    transferId: readUuid(row[0]),
    step: readCount(row[1]) as Step,
    type: readText(row[2]),
  };
}
