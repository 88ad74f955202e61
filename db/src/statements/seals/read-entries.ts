import type { Timestamp } from '@surety/contracts';
import type { AccountId, TransferId } from '@surety/domain';
import { StoreError } from '@surety/saga';
import {
  readBigint,
  readBigintOrNull,
  readCount,
  readText,
  readTime,
  readUuid,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { word } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { RANGES_MAX, chunksOf } from '../transact/shape.js';

/** Entries of one account, both ends included. */
export interface EntryRange {
  readonly account: AccountId;
  readonly firstSeq: bigint;
  readonly lastSeq: bigint;
}

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

/** A step has two legs; this many more rows than asked for can only be a forgery. */
const LEGS_PER_ENTRY_MAX = 8n;
const SPARE_ROWS = 1_000n;

/**
 * The entries of these ranges that exist, each with the whole step: by account, number, transfer.
 * Caller: sealer, verification, in a snapshot. Index: ledger_entries_by_account, one range for each;
 * then PRIMARY (transfer_id, step) for the legs of the step. Locks: none. Rows: those asked for, of at
 * most RANGES_MAX ranges a statement, all in one round trip; the caller bounds the entries of its
 * ranges.
 * @throws StoreError; of kind data where there are many more rows than numbers were asked for
 */
export async function readEntries(
  snapshot: Session,
  ranges: readonly EntryRange[],
): Promise<StepEntry[]> {
  if (ranges.length === 0) return [];
  const chunks = chunksOf(ranges, RANGES_MAX);
  const limits = chunks.map(rowsMax);
  const results = await snapshot.send(
    chunks.map((chunk, at) => selectRanges(chunk, limits[at] as bigint)),
  );
  results.forEach(({ rows }, at) => {
    if (BigInt(rows.length) < (limits[at] as bigint)) return;
    const first = chunks[at]?.[0]?.account ?? '';
    throw new StoreError('data', `far more legs than entries from account ${first} on`);
  });
  return results.flatMap(({ rows }) => entriesOf(rows));
}

function rowsMax(ranges: readonly EntryRange[]): bigint {
  const entries = ranges.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1n, 0n);
  return entries * LEGS_PER_ENTRY_MAX + SPARE_ROWS;
}

function selectRanges(ranges: readonly EntryRange[], limit: bigint): string {
  const conditions = ranges.map(
    ({ account, firstSeq, lastSeq }) =>
      `(e.account_id = ${word(account)} AND e.entry_seq BETWEEN ${firstSeq} AND ${lastSeq})`,
  );
  return (
    'SELECT e.account_id, e.entry_seq, e.transfer_id, e.step, e.leg, s.leg, s.slot, ' +
    's.account_id, s.entry_seq, s.amount, s.currency, s.balance_after, s.posted_at ' +
    'FROM ledger_entries AS e FORCE INDEX (ledger_entries_by_account) ' +
    'STRAIGHT_JOIN ledger_entries AS s FORCE INDEX (PRIMARY) ' +
    'ON s.transfer_id = e.transfer_id AND s.step = e.step ' +
    `WHERE ${conditions.join(' OR ')} LIMIT ${limit}`
  );
}

/** Rows to entries: the legs of one entry may lie apart. */
function entriesOf(rows: readonly Row[]): StepEntry[] {
  const entries = new Map<string, StepEntry & { readonly legs: StoredLeg[] }>();
  for (const row of rows) {
    const head = {
      account: readText(row[0]),
      entrySeq: readBigint(row[1]),
      transferId: readUuid(row[2]),
      step: readCount(row[3]),
      leg: readCount(row[4]),
    };
    const key = `${head.transferId}/${head.step}/${head.leg}`;
    const entry = entries.get(key) ?? { ...head, legs: [] };
    entry.legs.push(readLeg(row));
    entries.set(key, entry);
  }
  const sorted = [...entries.values()].sort(compareEntries);
  for (const { legs } of sorted) legs.sort((a, b) => a.leg - b.leg);
  return sorted;
}

function readLeg(row: Row): StoredLeg {
  return {
    leg: readCount(row[5]),
    slot: readCount(row[6]),
    account: readText(row[7]),
    entrySeq: readBigintOrNull(row[8] ?? null),
    minor: readBigint(row[9]),
    currency: readText(row[10]),
    balanceAfter: readBigintOrNull(row[11] ?? null),
    postedAt: readTime(row[12]),
  };
}

function compareEntries(a: StepEntry, b: StepEntry): number {
  if (a.account !== b.account) return a.account < b.account ? -1 : 1;
  if (a.entrySeq !== b.entrySeq) return a.entrySeq < b.entrySeq ? -1 : 1;
  return a.transferId < b.transferId ? -1 : 1;
}
