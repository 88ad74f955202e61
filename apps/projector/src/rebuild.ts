import { judgeStored } from '@surety/contracts';
import type { Logger } from '@surety/runtime';
import { ProjectionFold } from './projected-rows.js';
import type { ProjectedRows } from './projected-rows.js';
import type { ProjectionStore } from './shard-projection.js';

const EVENTS_PER_PAGE = 1_000;
/** Of each shard: after a roll-back of a release there may be as many as it had written. */
const UNREADABLE_TOLD_MAX = 20;

/** A row of transfer_events, as far as a rebuild needs it. */
export interface StoredText {
  /** transferId/step */
  readonly id: string;
  readonly encoded: string;
}

/** What a rebuild needs of one shard. */
export interface RebuildStore<Position> extends ProjectionStore {
  /** Removes every projected row, in steps that do not hold up readers and the projector. */
  clear(): Promise<void>;
  /** Stored events by primary key, after a position; `undefined` begins. */
  readEvents(
    after: Position | undefined,
    limit: number,
  ): Promise<{ readonly events: readonly StoredText[]; readonly next: Position | undefined }>;
}

export interface RebuildOptions {
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /**
   * Refreshes the copies too. A copy that is newer than its row stays. Once they cannot be written the
   * rebuild goes on without them.
   */
  readonly copies?: { write(rows: ProjectedRows): Promise<unknown> };
}

export interface RebuildSummary {
  readonly shard: number;
  readonly events: number;
  readonly rows: number;
  /** Of the events: those that could not be read, a newer release's among them, and were left out. */
  readonly unreadable: number;
}

/**
 * Rebuilds the projections of shards from zero: clears them, then folds the shard's own events in
 * pages by primary key. A shard has the events of all changes of its accounts and transfers, so no
 * shard needs another's.
 *
 * The projector may run meanwhile. An event that was committed before the clearing is met by the
 * pages; one that was committed after it is written by the projector after the clearing; and both
 * write only what is newer. Until the end a row can be absent or older than its truth: readers that
 * need the truth read the truth.
 *
 * The tables are cleared by the time that an event is read. One that cannot be read is told of and
 * left out: what it alone knows is missing, or as old as the event before it, until the account
 * changes again or its projector reads it.
 * @throws StoreError where a shard is away; running it again begins from zero again
 */
export async function rebuildFromEvents<Position>(
  stores: readonly RebuildStore<Position>[],
  { log, copies }: RebuildOptions,
): Promise<readonly RebuildSummary[]> {
  const summaries: RebuildSummary[] = [];
  const copy = copyWhilePossible(copies, log);
  for (const store of stores) {
    const summary = await rebuildShard(store, copy, log);
    log.info('projections rebuilt', { ...summary });
    summaries.push(summary);
  }
  return summaries;
}

async function rebuildShard<Position>(
  store: RebuildStore<Position>,
  copy: (rows: ProjectedRows) => Promise<void>,
  log: RebuildOptions['log'],
): Promise<RebuildSummary> {
  await store.clear();
  const { shard } = store;
  let after: Position | undefined;
  const counts = { events: 0, rows: 0, unreadable: 0 };
  do {
    const page = await store.readEvents(after, EVENTS_PER_PAGE);
    const fold = foldPage(page.events, (event, fault) => {
      counts.unreadable += 1;
      if (counts.unreadable > UNREADABLE_TOLD_MAX) return;
      log.error('an event cannot be read: left out', { shard, event, fault });
    });
    await writeFold(store, fold);
    await copy(fold);
    counts.events += page.events.length;
    counts.rows += fold.size;
    after = page.next;
  } while (after !== undefined);
  return { shard, ...counts };
}

/** The tables are cleared already: a Redis that fails midway must not leave them in pieces. */
function copyWhilePossible(
  copies: RebuildOptions['copies'],
  log: RebuildOptions['log'],
): (rows: ProjectedRows) => Promise<void> {
  let isPossible = copies !== undefined;
  return async (rows) => {
    if (!isPossible) return;
    try {
      await copies?.write(rows);
    } catch (error) {
      isPossible = false;
      log.warn('copies cannot be written: the rest keep what they say', { error });
    }
  };
}

function foldPage(
  events: readonly StoredText[],
  leftOut: (event: string, fault: string) => void,
): ProjectionFold {
  const fold = new ProjectionFold();
  for (const { id, encoded } of events) {
    const read = judgeStored(id, encoded);
    if ('envelope' in read) fold.take(read.envelope);
    else leftOut(id, read.fault);
  }
  return fold;
}

async function writeFold(store: ProjectionStore, fold: ProjectionFold): Promise<void> {
  const balances = [...fold.balances.values()];
  const statuses = [...fold.statuses.values()];
  await store.upsert({ balances, statuses });
}
