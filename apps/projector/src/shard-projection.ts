import type { BalanceRow } from '@surety/db';
import { Batcher, CHANNELS, isolate } from '@surety/runtime';
import type { Clock, Doorbell, Logger, Metrics } from '@surety/runtime';
import { StoreError } from '@surety/saga';
import { BalanceCopyQueue } from './balance-copy-queue.js';
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
 * has it. All rows go to the tables at a pace of their own, and balances from there to their copies,
 * for which no table waits. Whatever gathers in the meantime goes, folded, into the next write.
 */
export class ShardProjection {
  readonly #options: ShardProjectionOptions;
  readonly #ends: Batcher<readonly EndRow[], undefined>;
  readonly #tables: Batcher<ProjectionFold, boolean>;
  readonly #balanceCopies: BalanceCopyQueue;
  #isFailing = false;
  #isRedisFailing = false;
  /** While Redis fails: copies of ends are on their way, for which nobody waits. */
  #isProbing = false;

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
    this.#balanceCopies = new BalanceCopyQueue({
      write: (rows) => this.#copy(() => options.copies.writeBalances(rows)),
      ...clock,
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
    await this.#balanceCopies.stop();
  }

  /** Those whose news gets lost look for themselves, and find the end in the transfer's own row. */
  #announce(ends: readonly EndRow[]): void {
    if (ends.length === 0) return;
    this.#ends.submit(ends).catch((error: unknown) => {
      this.#options.log.debug('ends were not told', { ends: ends.length, error });
    });
  }

  async #tell(ends: readonly EndRow[]): Promise<void> {
    await this.#copyEnds(ends);
    const ids = ends.map((end) => end.transferId);
    for (let from = 0; from < ids.length; from += IDS_PER_RING) {
      const payload = ids.slice(from, from + IDS_PER_RING).join(',');
      this.#options.doorbell.ring(CHANNELS.ended, payload);
    }
  }

  /**
   * Where Redis fails nobody waits for it to fail again, and one call at a time is enough to see that it
   * works: who is told of an end without a copy reads it from the transfer's own row.
   */
  async #copyEnds(ends: readonly EndRow[]): Promise<void> {
    if (this.#isProbing) return;
    const copying = this.#copy(() => this.#options.copies.writeEnds(ends));
    if (!this.#isRedisFailing) {
      await copying;
      return;
    }
    this.#isProbing = true;
    void copying.then(() => {
      this.#isProbing = false;
    });
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
    const { metrics } = this.#options;
    metrics.batchItems.observe({ unit: 'projector' }, rows.length);
    try {
      await this.#upsert(rows);
    } catch (error) {
      this.#failed(error);
      return false;
    }
    this.#copyBalances(rows.filter(isBalance));
    return true;
  }

  #copyBalances(rows: readonly BalanceRow[]): void {
    const { metrics, store } = this.#options;
    const leftOut = this.#balanceCopies.add(rows);
    if (leftOut > 0) {
      metrics.errorsTotal.inc({ kind: 'copy_left_out', shard: store.shard }, leftOut);
    }
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
  async #copy(write: () => Promise<number>): Promise<boolean> {
    const { metrics, log, store } = this.#options;
    try {
      await write();
      this.#isRedisFailing = false;
      return true;
    } catch (error) {
      metrics.errorsTotal.inc({ kind: 'redis', shard: store.shard });
      if (!this.#isRedisFailing) log.warn('copies cannot be written', { error });
      this.#isRedisFailing = true;
      return false;
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
