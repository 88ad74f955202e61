import type { TransferId } from '@surety/domain';
import type { RecordCounts, TransferRecords } from '@surety/db';

/** A range of ids of which every row was judged, and how many there were, shard by shard. */
export interface JudgedPage {
  readonly from: TransferId;
  readonly below: TransferId;
  readonly rows: readonly RecordCounts[];
}

/**
 * What the last check without findings has read, for the next one: that begins some time before the
 * verified point, and would read again what was proven a moment ago. Rows are inserted and never
 * deleted, and a row that a step alters has an event inserted beside it: where there are as many as
 * were judged, nothing has happened since. In memory only; without it everything is read.
 */
export class JudgedPages {
  #pages: readonly JudgedPage[] = [];

  /** Those that reach beyond this id, by id, none of which overlaps another. */
  beyond(bound: TransferId): readonly JudgedPage[] {
    return this.#pages.filter(({ below }) => below > bound);
  }

  /** After a check without findings alone: what was broken has to be read again. */
  keep(pages: readonly JudgedPage[]): void {
    this.#pages = pages;
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

export function areAsMany(counts: readonly RecordCounts[], judged: readonly RecordCounts[]): boolean {
  return (
    counts.length === judged.length && counts.every((count, at) => isSame(count, judged[at]))
  );
}

function isSame(a: RecordCounts, b: RecordCounts | undefined): boolean {
  return (
    a.transfers === b?.transfers &&
    a.events === b.events &&
    a.decisions === b.decisions &&
    a.legs === b.legs &&
    a.statuses === b.statuses
  );
}
