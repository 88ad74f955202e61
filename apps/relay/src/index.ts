export { start, type RelayProcess } from './start.js';
export { OutboxCursor } from './outbox-cursor.js';
export type { OutboxRead, OutboxReadResult } from './outbox-cursor.js';
export type { Outbox, OutboxMessage } from './outbox-port.js';
export { LEASE_TTL_MS, ShardUnit } from './shard-unit.js';
