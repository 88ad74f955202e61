import type { TransferId } from '@surety/domain';
import { listDecisionPage, listTransferHistories } from '@surety/db';
import type { Session, TransferHistory } from '@surety/db';
import type { DecisionRow } from '@surety/saga';

/** Rows in memory at a time, per shard and check. */
export const PAGE_ROWS = 1_000;

/** All transfers of a shard with the types of their events, page by page. */
export async function* eachHistoryPage(
  snapshot: Session,
): AsyncGenerator<readonly TransferHistory[]> {
  let after: TransferId | undefined;
  for (;;) {
    const page = await listTransferHistories(snapshot, after, PAGE_ROWS);
    if (page.length > 0) yield page;
    if (page.length < PAGE_ROWS) return;
    after = page.at(-1)?.transfer.id;
  }
}

/** All decisions of a shard, page by page. */
export async function* eachDecisionPage(snapshot: Session): AsyncGenerator<readonly DecisionRow[]> {
  let after: TransferId | undefined;
  for (;;) {
    const page = await listDecisionPage(snapshot, after, PAGE_ROWS);
    if (page.length > 0) yield page;
    if (page.length < PAGE_ROWS) return;
    after = page.at(-1)?.transferId;
  }
}

/** Rows by the shard that has to be asked about them. */
export function byShard<Row>(
  rows: readonly Row[],
  snapshotOf: (row: Row) => Session,
): ReadonlyMap<Session, readonly Row[]> {
  const groups = new Map<Session, Row[]>();
  for (const row of rows) {
    const snapshot = snapshotOf(row);
    const group = groups.get(snapshot);
    if (group) group.push(row);
    else groups.set(snapshot, [row]);
  }
  return groups;
}
