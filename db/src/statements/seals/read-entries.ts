import type { Timestamp } from '@surety/contracts';
import type { AccountId, TransferId } from '@surety/domain';
import {
  readBigint,
  readBigintOrNull,
  readCount,
  readText,
  readTextOrNull,
  readTime,
  readUuid,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { RANGES_MAX, chunksOf } from '../transact/shape.js';
import { withoutNumbers, within } from './entry-ranges.js';
import type { EntryRange } from './entry-ranges.js';
import { findCrowdedNumbers } from './find-crowded-numbers.js';
import type { CrowdedNumber } from './find-crowded-numbers.js';

/** One row of ledger_entries with all its columns. */
export interface StoredLeg {
  readonly leg: number;
  readonly slot: number;
  readonly account: AccountId;
  readonly entrySeq: bigint | null;
  /** Signed minor units. */
  readonly minor: bigint;
  readonly currency: string;
  readonly balanceAfter: bigint | null;
  readonly postedAt: Timestamp;
}

/** An entry of an account's, with all legs of the step that wrote it (its own among them). */
export interface StepEntry {
  readonly account: AccountId;
  readonly entrySeq: bigint;
  readonly transferId: TransferId;
  readonly step: number;
  /** Which of the legs is the entry. */
  readonly leg: number;
  /** By number. */
  readonly legs: readonly StoredLeg[];
}

/** What else of a step lies on its shard: the second witness of its legs. */
export interface Posting {
  readonly type: string;
  readonly envelope: string;
  /**
   * The row that an event of this type goes with: the outcome and the amount of the decision behind
   * `credited`, the state and the amount of the transfer behind `committed`; undefined where there is
   * none.
   */
  readonly behind: { readonly state: string; readonly minor: bigint } | undefined;
}

export interface PostedEntry extends StepEntry {
  /** undefined where the step has no event. */
  readonly posting: Posting | undefined;
}

export interface FoundEntries<Entry extends StepEntry> {
  /** By account, number, transfer. */
  readonly entries: readonly Entry[];
  /** Numbers whose entries were not read, because there is more of them than a ledger can have. */
  readonly crowded: readonly CrowdedNumber[];
}

/**
 * Where a statement is cut off, and its numbers are counted first. A step has two legs: this many more
 * rows than asked for can only be a forgery.
 */
const LEGS_PER_ENTRY_MAX = 8n;
const SPARE_ROWS = 1_000n;

/** The entry's own leg, then another one of its step: a row for each of those, one where there is none. */
const LEGS =
  'SELECT e.account_id, e.entry_seq, e.transfer_id, e.step, e.leg, e.slot, e.amount, e.currency, ' +
  'e.balance_after, e.posted_at, s.leg, s.slot, s.account_id, s.entry_seq, s.amount, s.currency, ' +
  's.balance_after, s.posted_at';
const OF_ENTRIES =
  ' FROM ledger_entries AS e FORCE INDEX (ledger_entries_by_account) ' +
  'LEFT JOIN ledger_entries AS s FORCE INDEX (PRIMARY) ' +
  'ON s.transfer_id = e.transfer_id AND s.step = e.step AND s.leg <> e.leg ';
/** An event has one type: of decision and transfer at most one is joined to it. */
const POSTING = ', v.type, v.envelope, COALESCE(d.outcome, t.state), COALESCE(d.amount, t.amount)';
const OF_POSTINGS =
  'LEFT JOIN transfer_events AS v FORCE INDEX (PRIMARY) ' +
  'ON v.transfer_id = e.transfer_id AND v.step = e.step ' +
  'LEFT JOIN decisions AS d FORCE INDEX (PRIMARY) ' +
  "ON v.type = 'credited' AND d.transfer_id = e.transfer_id AND d.part = 0 " +
  'LEFT JOIN transfers AS t FORCE INDEX (PRIMARY) ' +
  "ON v.type = 'committed' AND t.id = e.transfer_id ";

/**
 * The entries of these ranges that exist, each with the whole step. Where somebody has put in far more
 * rows than numbers were asked for, those with the most of them are named instead: what is read stays
 * bounded by the numbers, and one forged number hides no other.
 * Caller: verification, in a snapshot. Index: ledger_entries_by_account, one range for each; then
 * PRIMARY (transfer_id, step) for the other legs of the step. Locks: none. Rows: those asked for, of
 * at most RANGES_MAX ranges a statement, all in one round trip; the caller bounds the entries of its
 * ranges.
 * @throws StoreError
 */
export function readEntries(
  snapshot: Session,
  ranges: readonly EntryRange[],
): Promise<FoundEntries<StepEntry>> {
  return readAll(snapshot, ranges, LEGS + OF_ENTRIES);
}

/**
 * The same with what else of each step lies here: its event, and the decision or the transfer that
 * an event of this type goes with. One statement finds all of it: a second one by lists of steps cost
 * the database as much again, and the process twice as much.
 * Caller: sealer, verification, in a snapshot. Index: besides, PRIMARY of the three tables. Locks, rows
 * and errors: as above.
 */
export function readPostedEntries(
  snapshot: Session,
  ranges: readonly EntryRange[],
): Promise<FoundEntries<PostedEntry>> {
  return readAll(snapshot, ranges, LEGS + POSTING + OF_ENTRIES + OF_POSTINGS);
}

async function readAll(
  snapshot: Session,
  ranges: readonly EntryRange[],
  select: string,
): Promise<FoundEntries<PostedEntry>> {
  if (ranges.length === 0) return { entries: [], crowded: [] };
  const chunks = chunksOf(ranges, RANGES_MAX);
  const limits = chunks.map(rowsMax);
  const results = await snapshot.send(
    chunks.map((chunk, at) => `${select}WHERE ${within(chunk)} LIMIT ${limits[at]}`),
  );
  const isCut = (at: number): boolean => results[at]?.rows.length === limits[at];
  const rows = results.flatMap((result, at) => (isCut(at) ? [] : result.rows));
  const cut = chunks.filter((_, at) => isCut(at)).flat();
  if (cut.length === 0) return { entries: inOrder(rows), crowded: [] };
  const crowded = await findCrowdedNumbers(snapshot, cut);
  const others = await readUncrowded(snapshot, withoutNumbers(cut, crowded), select);
  return { entries: inOrder([...rows, ...others]), crowded };
}

/** No number of these has more rows than a crowd begins with: the answer needs no other bound. */
async function readUncrowded(
  snapshot: Session,
  ranges: readonly EntryRange[],
  select: string,
): Promise<Row[]> {
  if (ranges.length === 0) return [];
  const results = await snapshot.send(
    chunksOf(ranges, RANGES_MAX).map((chunk) => `${select}WHERE ${within(chunk)}`),
  );
  return results.flatMap(({ rows }) => rows);
}

function rowsMax(ranges: readonly EntryRange[]): number {
  const entries = ranges.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1n, 0n);
  return Number(entries * LEGS_PER_ENTRY_MAX + SPARE_ROWS);
}

type Gathered = PostedEntry & { readonly legs: StoredLeg[] };

/** Rows to entries: one with more than one other leg has a row for each of those. */
function inOrder(rows: readonly Row[]): PostedEntry[] {
  const entries: Gathered[] = [];
  for (const entry of rows.map(readEntry).sort(compareEntries)) {
    const before = entries.at(-1);
    if (before && compareEntries(before, entry) === 0) before.legs.push(...entry.legs.slice(1));
    else entries.push(entry);
  }
  for (const { legs } of entries) legs.sort((a, b) => a.leg - b.leg);
  return entries;
}

function readEntry(row: Row): Gathered {
  const own = {
    leg: readCount(row[4]),
    slot: readCount(row[5]),
    account: readText(row[0]),
    entrySeq: readBigint(row[1]),
    minor: readBigint(row[6]),
    currency: readText(row[7]),
    balanceAfter: readBigintOrNull(row[8] ?? null),
    postedAt: readTime(row[9]),
  };
  return {
    account: own.account,
    entrySeq: own.entrySeq,
    transferId: readUuid(row[2]),
    step: readCount(row[3]),
    leg: own.leg,
    legs: row[10] === null ? [own] : [own, readOther(row, own)],
    posting: readPosting(row),
  };
}

/** Nearly always posted with the entry's own leg: then that time is not put into words again. */
function readOther(row: Row, own: StoredLeg): StoredLeg {
  return {
    leg: readCount(row[10]),
    slot: readCount(row[11]),
    account: readText(row[12]),
    entrySeq: readBigintOrNull(row[13] ?? null),
    minor: readBigint(row[14]),
    currency: readText(row[15]),
    balanceAfter: readBigintOrNull(row[16] ?? null),
    postedAt: row[17] === row[9] ? own.postedAt : readTime(row[17]),
  };
}

function readPosting(row: Row): Posting | undefined {
  const type = row[18] ?? null;
  if (type === null) return undefined;
  const state = readTextOrNull(row[20] ?? null);
  return {
    type: readText(type),
    envelope: readText(row[19]),
    behind: state === null ? undefined : { state, minor: readBigint(row[21]) },
  };
}

/** By account and number; entries of one number by transfer, step and leg. */
function compareEntries(a: StepEntry, b: StepEntry): number {
  if (a.account !== b.account) return a.account < b.account ? -1 : 1;
  if (a.entrySeq !== b.entrySeq) return a.entrySeq < b.entrySeq ? -1 : 1;
  if (a.transferId !== b.transferId) return a.transferId < b.transferId ? -1 : 1;
  return a.step === b.step ? a.leg - b.leg : a.step - b.step;
}
