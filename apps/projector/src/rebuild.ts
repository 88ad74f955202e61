import { decodeMessage, encodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import type { Logger } from '@surety/runtime';
import { ProjectionFold } from './projected-rows.js';
import type { ProjectedRows } from './projected-rows.js';
import type { ProjectionStore } from './shard-projection.js';

const EVENTS_PER_PAGE = 1_000;

/** What a rebuild needs of one shard. */
export interface RebuildStore<Position> extends ProjectionStore {
  /** Removes every projected row, in steps that do not hold up readers and the projector. */
  clear(): Promise<void>;
  /** Stored events by primary key, after a position; `undefined` begins. */
  readEvents(
    after: Position | undefined,
    limit: number,
  ): Promise<{ readonly encoded: readonly string[]; readonly next: Position | undefined }>;
}

export interface RebuildOptions {
  readonly log: Pick<Logger, 'info' | 'warn'>;
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
 * @throws StoreError where a shard is away; running it again begins from zero again
 */
export async function rebuildFromEvents<Position>(
  stores: readonly RebuildStore<Position>[],
  { log, copies }: RebuildOptions,
): Promise<readonly RebuildSummary[]> {
  const summaries: RebuildSummary[] = [];
  const copy = copyWhilePossible(copies, log);
  for (const store of stores) {
    const summary = await rebuildShard(store, copy);
    log.info('projections rebuilt', { ...summary });
    summaries.push(summary);
  }
  return summaries;
}

async function rebuildShard<Position>(
  store: RebuildStore<Position>,
  copy: (rows: ProjectedRows) => Promise<void>,
): Promise<RebuildSummary> {
  await store.clear();
  let after: Position | undefined;
  let events = 0;
  let rows = 0;
  do {
    const page = await store.readEvents(after, EVENTS_PER_PAGE);
    const fold = foldPage(page.encoded);
    await writeFold(store, fold);
    await copy(fold);
    events += page.encoded.length;
    rows += fold.size;
    after = page.next;
  } while (after !== undefined);
  return { shard: store.shard, events, rows };
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

function foldPage(encoded: readonly string[]): ProjectionFold {
  const fold = new ProjectionFold();
  for (const envelope of decodeStored(encoded)) fold.take(envelope);
  return fold;
}

/** Stored envelopes are the bytes that travel, so they are read by the same reader. */
function decodeStored(encoded: readonly string[]): readonly Envelope[] {
  const decoded = decodeMessage(encodeMessage(encoded));
  if (decoded.kind === 'events') return decoded.events;
  const why = decoded.kind === 'malformed' ? decoded.error : `schema ${decoded.schema}`;
  throw new Error(`stored events cannot be read: ${why}`);
}

async function writeFold(store: ProjectionStore, fold: ProjectionFold): Promise<void> {
  const balances = [...fold.balances.values()];
  const statuses = [...fold.statuses.values()];
  await store.upsert({ balances, statuses });
}
