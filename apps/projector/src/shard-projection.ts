import type { BalanceRow } from '@surety/db';
import { Batcher, CHANNELS, isolate } from '@surety/runtime';
import type { Clock, Doorbell, Logger, Metrics } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import type { EndRow, ProjectedRows, ProjectionFold } from './projected-rows.js';
import type { RedisCopies } from './redis-copies.js';

/** Rows of one transaction: bounds its statements and the time its locks are held. */
const ROWS_PER_WRITE = 1_000;
/** Rows that gather, counted before they are folded: a backlog does not wait for the pace. */
const ROWS_GATHERED = 8_000;
/**
 * Nobody waits for the tables: a transfer's end is told by its copy and its bell, a balance by the
 * account itself. The longer the rest, the more changes of an account become one row: a hold and its
 * commit nearly always, where they are half a second apart.
 */
const TABLES_PACE = { ms: 1_000, fromWeight: 1 };
/** Ends of one call. */
const ENDS_PER_CALL = 1_000;
/** Items of all partitions together; what is read ahead of the tables is far below it. */
const QUEUE_MAX = 50_000;
/** Batches whose ends wait for a slow Redis; those beyond them look for themselves. */
const ENDS_QUEUE_MAX = 1_000;
/** Ids of one ring: a payload stays a few kilobytes. */
const IDS_PER_RING = 100;

type ProjectedRow = BalanceRow | EndRow;

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
  readonly copies: Pick<RedisCopies, 'writeEnds' | 'writeBalances'>;
  readonly doorbell: Doorbell;
  readonly clock?: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Writes the rows of one shard by two ways. Ends go to their copies in Redis at once, then the bell
 * rings for those who wait for them: an end is final and committed, so it may be told before any table
 * has it. All rows go to the tables at a pace of their own, then balances to their copies. Whatever
 * gathers in the meantime goes, folded, into the next write.
 */
export class ShardProjection {
  readonly #options: ShardProjectionOptions;
  readonly #ends: Batcher<readonly EndRow[], undefined>;
  readonly #tables: Batcher<ProjectionFold, boolean>;
  #isFailing = false;
  #isRedisFailing = false;

  constructor(options: ShardProjectionOptions) {
    this.#options = options;
    const clock = options.clock ? { clock: options.clock } : {};
    this.#ends = new Batcher({
      ...{ weightMax: ENDS_PER_CALL, queueMax: ENDS_QUEUE_MAX, ...clock },
      weigh: (ends) => ends.length,
      run: async (items) => {
        await this.#tell(items.flat());
        return items.map(() => undefined);
      },
    });
    this.#tables = new Batcher({
      ...{ weightMax: ROWS_GATHERED, queueMax: QUEUE_MAX, pace: TABLES_PACE, ...clock },
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
   * @param attempt how often they have failed before: ends are told when they come for the first time
   */
  async submit(rows: ProjectionFold, attempt: number): Promise<boolean> {
    if (attempt === 0) this.#announce([...rows.statuses.values()]);
    try {
      return await this.#tables.submit(rows);
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** What waits for the tables waits no longer: too much is in hand. */
  hurry(): void {
    this.#tables.hurry();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#ends.stop(), this.#tables.stop()]);
  }

  /** Those whose news gets lost look for themselves, and find the end in the transfer's own row. */
  #announce(ends: readonly EndRow[]): void {
    if (ends.length === 0) return;
    this.#ends.submit(ends).catch((error: unknown) => {
      this.#options.log.debug('ends were not told', { ends: ends.length, error });
    });
  }

  async #tell(ends: readonly EndRow[]): Promise<void> {
    await this.#copy(() => this.#options.copies.writeEnds(ends));
    const ids = ends.map((end) => end.transferId);
    for (let from = 0; from < ids.length; from += IDS_PER_RING) {
      const payload = ids.slice(from, from + IDS_PER_RING).join(',');
      this.#options.doorbell.ring(CHANNELS.ended, payload);
    }
  }

  async #write({ balances, statuses }: ProjectedRows): Promise<boolean> {
    const rows = [...balances.values(), ...statuses.values()];
    for (let from = 0; from < rows.length; from += ROWS_PER_WRITE) {
      if (!(await this.#writePart(rows.slice(from, from + ROWS_PER_WRITE)))) return false;
    }
    this.#recovered();
    return true;
  }

  async #writePart(rows: readonly ProjectedRow[]): Promise<boolean> {
    const { metrics, copies } = this.#options;
    metrics.batchItems.observe({ unit: 'projector' }, rows.length);
    try {
      await this.#upsert(rows);
    } catch (error) {
      this.#failed(error);
      return false;
    }
    const balances = rows.filter(isBalance);
    if (balances.length > 0) await this.#copy(() => copies.writeBalances(balances));
    return true;
  }

  /** A row that no table can take is passed over: its truth lies elsewhere, and a rebuild shows it. */
  async #upsert(rows: readonly ProjectedRow[]): Promise<void> {
    const { metrics, log, store } = this.#options;
    const { faulty } = await isolate<ProjectedRow, unknown>(
      rows,
      async (part) => {
        const ofTables = { balances: part.filter(isBalance), statuses: part.filter(isEnd) };
        await store.upsert(ofTables);
        return part;
      },
      (error) => error instanceof StoreError && error.kind === 'data',
    );
    for (const { item, error } of faulty) {
      metrics.errorsTotal.inc({ kind: 'unprojectable', shard: store.shard });
      log.error('a projected row cannot be stored', { shard: store.shard, row: item, error });
    }
  }

  /** Losing Redis loses nothing: readers then go to the rows themselves. */
  async #copy(write: () => Promise<number>): Promise<void> {
    const { metrics, log, store } = this.#options;
    try {
      await write();
      this.#isRedisFailing = false;
    } catch (error) {
      metrics.errorsTotal.inc({ kind: 'redis', shard: store.shard });
      if (!this.#isRedisFailing) log.warn('copies cannot be written', { error });
      this.#isRedisFailing = true;
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

const isEnd = (row: ProjectedRow): row is EndRow => 'transferId' in row;
const isBalance = (row: ProjectedRow): row is BalanceRow => !isEnd(row);
