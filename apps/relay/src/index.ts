export { start, type RelayProcess } from './start.js';
export { OutboxCursor } from './outbox-cursor.js';
export type { OutboxRead, OutboxReadResult } from './outbox-cursor.js';
