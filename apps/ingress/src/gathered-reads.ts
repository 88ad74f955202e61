import type { Shard } from '@surety/db';
import type { ShardId } from '@surety/domain';
import { Batcher } from '@surety/runtime';
import type { ShardDoors } from './shard-doors.js';

/** Bounds what is asked for in one round trip: the largest batch. */
const GATHERED_MAX = 1_000;
/** Bounds what waits for a shard that is slow. */
const WAITING_MAX = 4_000;

export interface GatheredReadsOptions<Key, Row> {
  readonly doors: Pick<ShardDoors, 'shardOf' | 'readMany'>;
  readonly slotOf: (key: Key) => number;
  /** Those that are there. */
  readonly query: (shard: Shard, keys: readonly Key[]) => Promise<ReadonlyMap<Key, Row>>;
}

/**
 * Rows that are asked for one by one and read together: what comes in one turn of the event loop, or
 * while the last question is under way, is one question to each shard. A batch would otherwise take
 * a connection for each of its members, and its own number would look like a shard that is gone.
 */
export class GatheredReads<Key, Row> {
  readonly #options: GatheredReadsOptions<Key, Row>;
  readonly #batchers = new Map<ShardId, Batcher<Key, Row | undefined>>();

  constructor(options: GatheredReadsOptions<Key, Row>) {
    this.#options = options;
  }

  /**
   * The row, or undefined where the shard that carries its slot has none.
   * @throws ShardUnavailable, StoreError; QueueFullError where too many wait already
   */
  read(key: Key): Promise<Row | undefined> {
    const { doors, slotOf } = this.#options;
    return this.#batcherOf(doors.shardOf(slotOf(key))).submit(key);
  }

  #batcherOf(shard: ShardId): Batcher<Key, Row | undefined> {
    const known = this.#batchers.get(shard);
    if (known) return known;
    const { doors, slotOf, query } = this.#options;
    const batcher = new Batcher<Key, Row | undefined>({
      weightMax: GATHERED_MAX,
      queueMax: WAITING_MAX,
      run: async (keys) => {
        const rows = await doors.readMany([...new Set(keys)], slotOf, query);
        return keys.map((key) => rows.get(key));
      },
    });
    this.#batchers.set(shard, batcher);
    return batcher;
  }
}
