export { migrateShards } from './migrate.js';
export type { MigrationOptions } from './migrate.js';
export { MySqlShardStore, TRANSACTION_ATTEMPTS_MAX } from './mysql-shard-store.js';
export { openShards } from './shard-pools.js';
export type { Shard, ShardOptions, ShardPools } from './shard-pools.js';
export type { DatabaseMetrics } from './connection/connection-pool.js';
export type { Session } from './connection/session.js';

export { findAccount } from './statements/ingress/find-account.js';
export type { StoredAccount } from './statements/ingress/find-account.js';
export { findKey } from './statements/ingress/find-key.js';
export { findTransfer } from './statements/ingress/find-transfer.js';
export { listEntries } from './statements/ingress/list-entries.js';
export type { LedgerEntry } from './statements/ingress/list-entries.js';
export { readBalance } from './statements/ingress/read-balance.js';
export { readDecision } from './statements/ingress/read-decision.js';
export { readTimeline } from './statements/ingress/read-timeline.js';
export { readTransactionStatus } from './statements/ingress/read-transaction-status.js';

export { deleteOutbox } from './statements/relay/delete-outbox.js';
export { OUTBOX_COUNT_MAX, outboxDepth } from './statements/relay/outbox-depth.js';
export type { OutboxDepth } from './statements/relay/outbox-depth.js';
export { readOutboxBySeq } from './statements/relay/read-outbox-by-seq.js';
export { readOutboxHead } from './statements/relay/read-outbox-head.js';
export { readOutbox } from './statements/relay/read-outbox.js';
export type { StoredOutboxRow } from './statements/relay/read-outbox.js';

export { clearProjections } from './statements/projector/clear-projections.js';
export { readEventsPage } from './statements/projector/read-events-page.js';
export type { EventPosition } from './statements/projector/read-events-page.js';
export { upsertBalances } from './statements/projector/upsert-balances.js';
export { upsertTransactionStatuses } from './statements/projector/upsert-transaction-statuses.js';
export type { BalanceRow, StatusRow } from './statements/rows/projection-rows.js';

export { acquireLease } from './statements/leases/acquire-lease.js';
export type { HeldLease, LeaseRequest } from './statements/leases/acquire-lease.js';
export { releaseLease } from './statements/leases/release-lease.js';
export { renewLease } from './statements/leases/renew-lease.js';

export { insertAuditEntries } from './statements/operations/insert-audit-entries.js';
export type { AuditEntry } from './statements/operations/insert-audit-entries.js';
export { insertDeadLetter } from './statements/operations/insert-dead-letter.js';
export type { DeadLetterRow } from './statements/operations/insert-dead-letter.js';
export { listDeadLetters } from './statements/operations/list-dead-letters.js';
export type { StoredDeadLetter } from './statements/operations/list-dead-letters.js';

export { findHold } from './statements/reconciler/find-hold.js';
export { listDecisions } from './statements/reconciler/list-decisions.js';
export { listExpiredHolds } from './statements/reconciler/list-expired-holds.js';
export type { HoldCursor } from './statements/reconciler/list-expired-holds.js';
export { listHolds } from './statements/reconciler/list-holds.js';
export { listLegs } from './statements/reconciler/list-legs.js';
export { listOpenTransfers } from './statements/reconciler/list-open-transfers.js';
export type {
  OpenTransfer,
  OpenTransferCursor,
  OpenTransferPage,
} from './statements/reconciler/list-open-transfers.js';
export { listTransfers } from './statements/reconciler/list-transfers.js';
export { readEvents } from './statements/reconciler/read-events.js';
export type { EventRef } from './statements/reconciler/read-events.js';
