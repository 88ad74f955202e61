import type { BalanceRow } from '@surety/db';
import { Batcher, CHANNELS } from '@surety/runtime';
import type { Clock, Doorbell, Logger, Metrics } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import type { EndRow, ProjectedRows, ProjectionFold } from './projected-rows.js';
import type { RedisCopies } from './redis-copies.js';

/** Rows of one write: bounds its statements and the time its locks are held. */
const ROWS_PER_WRITE = 1_000;
/** The end of a lone transfer is three rows at the most: nobody waits for others then. */
const PACE = { ms: 15, fromWeight: 4 };
/** Items of all partitions together; what one fetch brings is far below it. */
const QUEUE_MAX = 50_000;
/** Ids of one ring: a payload stays a few kilobytes. */
const IDS_PER_RING = 100;

/** What goes into the two tables of one shard. */
export interface RowsOfTables {
  readonly balances: readonly BalanceRow[];
  readonly statuses: readonly EndRow[];
}

/** The projections of one shard. Rows are taken only where their version is newer. */
export interface ProjectionStore {
  readonly shard: number;
  /** All of them or none. @throws StoreError */
  upsert(rows: RowsOfTables): Promise<void>;
}

export interface ShardProjectionOptions {
  readonly store: ProjectionStore;
  readonly copies: Pick<RedisCopies, 'write'>;
  readonly doorbell: Doorbell;
  readonly clock?: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Writes the rows of one shard: first the tables, then the copies in Redis, then the bell for those
 * who wait for an end. Whatever gathers while one write runs goes, folded, into the next.
 */
export class ShardProjection {
  readonly #options: ShardProjectionOptions;
  readonly #batcher: Batcher<ProjectionFold, boolean>;
  #isFailing = false;
  #isRedisFailing = false;

  constructor(options: ShardProjectionOptions) {
    this.#options = options;
    const { clock } = options;
    this.#batcher = new Batcher({
      weightMax: ROWS_PER_WRITE,
      queueMax: QUEUE_MAX,
      pace: PACE,
      ...(clock ? { clock } : {}),
      weigh: (rows) => rows.size,
      run: async (items) => {
        const isWritten = await this.#write(merged(items));
        return items.map(() => isWritten);
      },
    });
  }

  /**
   * True when the rows are in the tables; false where the shard failed. Never rejects. The rows belong
   * to the projection from now on: others are folded into them.
   */
  async submit(rows: ProjectionFold): Promise<boolean> {
    try {
      return await this.#batcher.submit(rows);
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  stop(): Promise<void> {
    return this.#batcher.stop();
  }

  async #write(rows: ProjectedRows): Promise<boolean> {
    const { metrics } = this.#options;
    const balances = [...rows.balances.values()];
    const statuses = [...rows.statuses.values()];
    metrics.batchItems.observe({ unit: 'projector' }, balances.length + statuses.length);
    try {
      await this.#upsert({ balances, statuses });
    } catch (error) {
      this.#failed(error);
      return false;
    }
    this.#recovered();
    await this.#copy(rows);
    this.#ring(statuses);
    return true;
  }

  /** A row that no table can take is passed over: its truth lies elsewhere, and a rebuild shows it. */
  async #upsert(rows: RowsOfTables): Promise<void> {
    const { metrics, log, store } = this.#options;
    try {
      await store.upsert(rows);
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== 'data') throw error;
      const all = [...rows.balances, ...rows.statuses];
      if (all.length <= 1) {
        metrics.errorsTotal.inc({ kind: 'unprojectable', shard: store.shard });
        log.error('a projected row cannot be stored', { shard: store.shard, row: all[0], error });
        return;
      }
      for (const half of halvesOf(rows)) await this.#upsert(half);
    }
  }

  /** Losing Redis loses nothing: readers then go to the tables. */
  async #copy(rows: ProjectedRows): Promise<void> {
    const { copies, metrics, log, store } = this.#options;
    try {
      await copies.write(rows);
      this.#isRedisFailing = false;
    } catch (error) {
      metrics.errorsTotal.inc({ kind: 'redis', shard: store.shard });
      if (!this.#isRedisFailing) log.warn('copies cannot be written', { error });
      this.#isRedisFailing = true;
    }
  }

  #ring(statuses: readonly EndRow[]): void {
    const ended = statuses.map((row) => row.transferId);
    for (let from = 0; from < ended.length; from += IDS_PER_RING) {
      this.#options.doorbell.ring(CHANNELS.ended, ended.slice(from, from + IDS_PER_RING).join(','));
    }
  }

  #failed(error: unknown): void {
    const { metrics, log, store } = this.#options;
    metrics.errorsTotal.inc({ kind: 'environment', shard: store.shard });
    if (!this.#isFailing) {
      log.warn('projections of a shard cannot be written', { shard: store.shard, error });
    }
    this.#isFailing = true;
  }

  #recovered(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#options.log.info('projections of the shard are written again', {
      shard: this.#options.store.shard,
    });
  }
}

/** Everything in the largest of them, which is what costs least: whoever submitted it is done with it. */
function merged(items: readonly ProjectionFold[]): ProjectionFold {
  const all = items.reduce((largest, rows) => (rows.size > largest.size ? rows : largest));
  for (const rows of items) {
    if (rows !== all) all.putAll(rows);
  }
  return all;
}

function halvesOf({ balances, statuses }: RowsOfTables): readonly RowsOfTables[] {
  if (balances.length > 0 && statuses.length > 0) {
    return [
      { balances, statuses: [] },
      { balances: [], statuses },
    ];
  }
  const middle = Math.ceil((balances.length + statuses.length) / 2);
  return [
    { balances: balances.slice(0, middle), statuses: statuses.slice(0, middle) },
    { balances: balances.slice(middle), statuses: statuses.slice(middle) },
  ];
}
