export { migrateShards } from './migrate.js';
export type { MigrationOptions } from './migrate.js';
export { MySqlShardStore, TRANSACTION_ATTEMPTS_MAX } from './mysql-shard-store.js';
export { openShards } from './shard-pools.js';
export type { Shard, ShardOptions, ShardPools } from './shard-pools.js';
export type { DatabaseMetrics } from './connection/connection-pool.js';
export type { Session } from './connection/session.js';
