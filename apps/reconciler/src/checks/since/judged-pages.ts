import type { TransferId } from '@surety/domain';
import type { RecordCounts, TransferRecords } from '@surety/db';

/** A range of ids of which every row was judged. */
export interface JudgedPage {
  readonly from: TransferId;
  readonly below: TransferId;
  /** How many rows there were: what `rowsText` says of them. */
  readonly rows: string;
}

/** Four times what the margin of one check has at the rates that were ever measured. */
const PAGES_MAX = 2_000;

/**
 * What the last check without findings has read, for the next one: that begins some time before the
 * verified point, and would read again what was proven a moment ago. Rows are inserted and never
 * deleted, and a row that a step alters has an event inserted beside it: where there are as many as
 * were judged, no step has done anything since. In memory only; without it everything is read.
 */
export class JudgedPages {
  #pages: readonly JudgedPage[] = [];

  /** Those that reach beyond this id, by id, none of which overlaps another. */
  beyond(bound: TransferId): readonly JudgedPage[] {
    return this.#pages.filter(({ below }) => below > bound);
  }

  /** After a check without findings alone: what was broken has to be read again. */
  keep(pages: readonly JudgedPage[]): void {
    this.#pages = pages.slice(-PAGES_MAX);
  }

  forget(): void {
    this.#pages = [];
  }
}

export function countsOf(records: TransferRecords): RecordCounts {
  const { transfers, events, decisions, legs, statuses } = records;
  return {
    transfers: transfers.length,
    events: events.length,
    decisions: decisions.length,
    legs: legs.length,
    statuses: statuses.length,
  };
}

/** The counts of a range, shard by shard, as one text: it is only compared. */
export function rowsText(shards: readonly RecordCounts[]): string {
  return shards
    .map(({ transfers, events, decisions, legs, statuses }) =>
      [transfers, events, decisions, legs, statuses].join(' '),
    )
    .join(', ');
}
