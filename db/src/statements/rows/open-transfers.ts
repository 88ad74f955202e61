import type { Timestamp } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import { readCount, readTime, readUuid } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';
import { count, time, uuid } from '../../connection/literals.js';

/** As a transfer's own row says that it has not ended. */
export const OPEN_STATES = "('requested', 'held')";

/** Where the list ends, for the middle of another statement. */
export const LISTED_BELOW = '(SELECT listed_below FROM placement WHERE id = 1)';

/** What the two tables call the same. */
export interface OpenColumns {
  readonly since: 'since' | 'requested_at';
  readonly id: 'transfer_id' | 'id';
}

const OF_LIST: OpenColumns = { since: 'since', id: 'transfer_id' };
const OF_TRANSFERS: OpenColumns = { since: 'requested_at', id: 'id' };

const LISTED = 'SELECT slot, since, transfer_id FROM open_transfers FORCE INDEX (PRIMARY)';
const NEWER =
  'SELECT slot, requested_at, id FROM transfers FORCE INDEX (PRIMARY) ' +
  `WHERE id >= ${LISTED_BELOW} AND state IN ${OPEN_STATES}`;

/**
 * Every open transfer, to be read from as a table of (slot, since, transfer_id): those that are
 * listed, and of the newer ones, which no list has, the rows of transfers themselves: a range of the
 * primary key that is as long as the reconciler lets it become (moveListEnd).
 */
export const OPEN_TRANSFERS = `(${LISTED} UNION ALL ${NEWER})`;

/**
 * The first of them in the order of (slot, since, transfer_id), to be read from in the same way. Each
 * half is cut by itself: a list of a million is read as far as the page goes.
 * @param within a condition that each half is read by
 */
export function openTransfersPage(within: (columns: OpenColumns) => string, limit: number): string {
  const page = ({ since, id }: OpenColumns): string =>
    `ORDER BY slot, ${since}, ${id} LIMIT ${count(limit)}`;
  return (
    `((${LISTED} WHERE ${within(OF_LIST)} ${page(OF_LIST)}) UNION ALL ` +
    `(${NEWER} AND ${within(OF_TRANSFERS)} ${page(OF_TRANSFERS)}) ` +
    `ORDER BY slot, since, transfer_id LIMIT ${count(limit)})`
  );
}

/** A place in the order of (slot, since, transfer_id). */
export interface OpenPosition {
  readonly slot: number;
  readonly since: Timestamp;
  readonly transferId: TransferId;
}

export function readOpenPosition(row: Row): OpenPosition {
  return { slot: readCount(row[0]), since: readTime(row[1]), transferId: readUuid(row[2]) };
}

/** The condition of what lies behind `position`; of everything where there is none. */
export function isAfterOpen(
  { since, id }: OpenColumns,
  position: OpenPosition | undefined,
): string {
  if (!position) return '1 = 1';
  const slot = count(position.slot);
  const at = time(position.since);
  return (
    `slot >= ${slot} AND (slot > ${slot} OR ${since} > ${at} ` +
    `OR (${since} = ${at} AND ${id} > ${uuid(position.transferId)}))`
  );
}
