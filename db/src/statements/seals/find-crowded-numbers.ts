import type { AccountId, TransferId } from '@surety/domain';
import { readBigint, readCount, readText, readUuid } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { RANGES_MAX, chunksOf } from '../transact/shape.js';
import { within } from './entry-ranges.js';
import type { EntryRange } from './entry-ranges.js';

/** A number of an account that far more rows lead to than its one entry and the two legs of a step. */
export interface CrowdedNumber {
  readonly account: AccountId;
  readonly entrySeq: bigint;
  /** Entries that have the number. */
  readonly entries: bigint;
  /** Of the only entry; undefined where there are several. */
  readonly transferId: TransferId | undefined;
  readonly step: number | undefined;
  /** The highest number of a leg of their steps. */
  readonly lastLeg: number;
}

/** Legs are numbered from 0: a step whose last one is below has no more of them than that. */
const LEGS_MAX = 4;
const ENTRIES_MAX = 4;

/** From the end of the key: a step of 65,536 legs costs as much as one of two. */
const LAST_LEG =
  '(SELECT s.leg FROM ledger_entries AS s FORCE INDEX (PRIMARY) ' +
  'WHERE s.transfer_id = e.transfer_id AND s.step = e.step ORDER BY s.leg DESC LIMIT 1)';

/**
 * Numbers that have more than ENTRIES_MAX entries, or one in a step with a leg beyond LEGS_MAX. The
 * numbers that are left have at most ENTRIES_MAX * LEGS_MAX rows each.
 * Caller: reads of entries that were cut off, in a snapshot. Index: ledger_entries_by_account, one
 * range for each; the last row of PRIMARY (transfer_id, step) for each entry. Locks: none. Rows: at
 * most one for each number, of at most RANGES_MAX ranges a statement, all in one round trip.
 * @throws StoreError
 */
export async function findCrowdedNumbers(
  snapshot: Session,
  ranges: readonly EntryRange[],
): Promise<CrowdedNumber[]> {
  const results = await snapshot.send(
    chunksOf(ranges, RANGES_MAX).map(
      (chunk) =>
        'SELECT account_id, entry_seq, COUNT(*), MIN(transfer_id), MIN(step), MAX(last_leg) ' +
        `FROM (SELECT e.account_id, e.entry_seq, e.transfer_id, e.step, ${LAST_LEG} AS last_leg ` +
        'FROM ledger_entries AS e FORCE INDEX (ledger_entries_by_account) ' +
        `WHERE ${within(chunk)}) AS own GROUP BY account_id, entry_seq ` +
        `HAVING COUNT(*) > ${ENTRIES_MAX} OR MAX(last_leg) >= ${LEGS_MAX} ` +
        'ORDER BY account_id, entry_seq',
    ),
  );
  return results.flatMap(({ rows }) => rows.map(crowdedNumber));
}

function crowdedNumber(row: Row): CrowdedNumber {
  const entries = readBigint(row[2]);
  return {
    account: readText(row[0]),
    entrySeq: readBigint(row[1]),
    entries,
    transferId: entries === 1n ? readUuid(row[3]) : undefined,
    step: entries === 1n ? readCount(row[4]) : undefined,
    lastLeg: readCount(row[5]),
  };
}
