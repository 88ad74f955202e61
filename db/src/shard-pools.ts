import { StoreError } from '@surety/saga';
import type { RoutableStore, SlotMaps } from '@surety/saga';
import { ConnectionPool } from './connection/connection-pool.js';
import type { DatabaseMetrics } from './connection/connection-pool.js';
import { pooledSession } from './connection/session.js';
import type { WritingSession } from './connection/session.js';
import { MySqlShardStore } from './mysql-shard-store.js';
import { SlotMapStore } from './slot-map-store.js';
import { untilPlaced } from './until-placed.js';
import type { Patience } from './until-placed.js';

export interface ShardOptions {
  /** mysql[s]://user:password@host:port/schema of each shard, in the order of their ids. */
  readonly urls: readonly string[];
  /** Connections to each shard at most. */
  readonly poolSize: number;
  readonly metrics?: DatabaseMetrics;
  /**
   * Partitions of each topic that outbox rows are spread over; 1 for who does not know their number:
   * the first partition is always there.
   */
  readonly partitions: number;
  /** After this many silent seconds the server takes a connection's locks away. */
  readonly waitTimeoutSeconds?: number;
  readonly answerTimeoutMs?: number;
}

/** One shard: its transactions through `store`, single statements through itself. */
export interface Shard extends WritingSession {
  readonly store: RoutableStore;
  /** Connections by the hand, for what a session cannot do (snapshots, specs). */
  readonly pool: ConnectionPool;
}

export interface ShardPools {
  readonly shards: readonly Shard[];
  readonly slotMaps: SlotMaps;
  /** Reads the placements, with patience or at once. @throws StoreError where no shard answers. */
  ready(patience?: Patience): Promise<void>;
  /** @throws StoreError naming the shards that are away. */
  check(): Promise<void>;
  close(): Promise<void>;
}

const AT_ONCE: Patience = { patienceMs: 0, waiting: () => undefined };

/** Composes the pools; connections are made when they are first needed. @throws TypeError for a malformed URL. */
export function openShards(options: ShardOptions): ShardPools {
  const { poolSize, metrics, waitTimeoutSeconds, answerTimeoutMs, partitions } = options;
  const pools = options.urls.map(
    (url) => new ConnectionPool({ url, poolSize, metrics, waitTimeoutSeconds, answerTimeoutMs }),
  );
  const sessions = pools.map((pool, id) => ({ id, pool, session: pooledSession(id, pool) }));
  const slotMaps = new SlotMapStore(sessions.map(({ session }) => session));
  const shards = sessions.map(({ id, pool, session }) => ({
    ...session,
    pool,
    store: new MySqlShardStore({ shard: id, pool, slotMaps, partitions }),
  }));
  return {
    shards,
    slotMaps,
    ready: (patience = AT_ONCE) => untilPlaced(slotMaps, patience),
    check: () => checkAll(shards),
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

async function checkAll(shards: readonly Shard[]): Promise<void> {
  const answers = await Promise.allSettled(shards.map((shard) => shard.send(['SELECT 1'])));
  const away = answers.flatMap((answer, id) => (answer.status === 'rejected' ? [id] : []));
  if (away.length > 0) throw new StoreError('environment', `shards away: ${away.join(', ')}`);
}
