export { migrateShards } from './migrate.js';
export type { MigrationOptions } from './migrate.js';
export {
  LOCK_TIMEOUT_ATTEMPTS_MAX,
  MySqlShardStore,
  TRANSACTION_ATTEMPTS_MAX,
} from './mysql-shard-store.js';
export { openShards } from './shard-pools.js';
export type { Shard, ShardOptions, ShardPools } from './shard-pools.js';
export { SlotMapStore } from './slot-map-store.js';
export { SHARD_URL } from './connection/settings.js';
export type { DatabaseMetrics } from './connection/connection-pool.js';
export type { Session, WritingSession } from './connection/session.js';

export { listAccountCurrencies } from './statements/currencies/list-account-currencies.js';
export { listStoredCurrencies } from './statements/currencies/list-stored-currencies.js';
export { rememberCurrencies } from './statements/currencies/remember-currencies.js';
export { storedCurrencies } from './stored-currencies.js';

export { findAccount } from './statements/ingress/find-account.js';
export type { StoredAccount } from './statements/ingress/find-account.js';
export { findTransfer } from './statements/ingress/find-transfer.js';
export { listCurrencies } from './statements/ingress/list-currencies.js';
export { listEntries } from './statements/ingress/list-entries.js';
export type { LedgerEntry } from './statements/ingress/list-entries.js';
export { listKeys } from './statements/ingress/list-keys.js';
export { readBalance } from './statements/ingress/read-balance.js';
export { readDecision } from './statements/ingress/read-decision.js';
export { readTimeline } from './statements/ingress/read-timeline.js';
export { readTransactionStatus } from './statements/ingress/read-transaction-status.js';

export { advanceOutbox } from './statements/relay/advance-outbox.js';
export type { NumberedOutboxRow } from './statements/relay/advance-outbox.js';
export { deleteOutbox } from './statements/relay/delete-outbox.js';
export { OUTBOX_COUNT_MAX, outboxDepth } from './statements/relay/outbox-depth.js';
export type { OutboxDepth } from './statements/relay/outbox-depth.js';
export { readOutboxHead } from './statements/relay/read-outbox-head.js';
export { readOutbox } from './statements/relay/read-outbox.js';
export type { StoredOutboxRow } from './statements/relay/read-outbox.js';

export { clearProjections } from './statements/projector/clear-projections.js';
export { readEventsPage } from './statements/projector/read-events-page.js';
export type { EventPosition } from './statements/projector/read-events-page.js';
export { upsertProjections } from './statements/projector/upsert-projections.js';
export type { ProjectionRows } from './statements/projector/upsert-projections.js';
export type { BalanceRow, StatusRow } from './statements/rows/projection-rows.js';

export { acquireLease } from './statements/leases/acquire-lease.js';
export type { HeldLease, LeaseRequest } from './statements/leases/acquire-lease.js';
export { raiseFence } from './statements/leases/check-fence.js';
export { releaseLease } from './statements/leases/release-lease.js';
export { renewLease } from './statements/leases/renew-lease.js';

export { insertAuditEntries } from './statements/operations/insert-audit-entries.js';
export { insertDeadLetter } from './statements/operations/insert-dead-letter.js';
export type { DeadLetterRow } from './statements/operations/insert-dead-letter.js';
export {
  countDeadLetters,
  findDeadLetters,
  listDeadLetters,
} from './statements/operations/list-dead-letters.js';
export type { StoredDeadLetter } from './statements/operations/list-dead-letters.js';

export { listAuditEntries } from './statements/operator/list-audit-entries.js';
export type { AuditFilter, StoredAuditEntry } from './statements/operator/list-audit-entries.js';
export { listLeases } from './statements/operator/list-leases.js';
export type { StoredLease } from './statements/operator/list-leases.js';
export { openTransferTotals } from './statements/operator/open-transfer-totals.js';
export type { OpenTransferTotals } from './statements/operator/open-transfer-totals.js';

export { findHold } from './statements/reconciler/find-hold.js';
export { listDecisions } from './statements/reconciler/list-decisions.js';
export { listExpiredHolds } from './statements/reconciler/list-expired-holds.js';
export type { HoldCursor } from './statements/reconciler/list-expired-holds.js';
export { listHolds } from './statements/reconciler/list-holds.js';
export { listLegs } from './statements/reconciler/list-legs.js';
export { moveListEnd } from './statements/reconciler/move-list-end.js';
export type { ListEndOptions } from './statements/reconciler/move-list-end.js';
export { listOpenTransfers } from './statements/reconciler/list-open-transfers.js';
export type {
  OpenTransfer,
  OpenTransferPage,
} from './statements/reconciler/list-open-transfers.js';
export { listTransfers } from './statements/reconciler/list-transfers.js';
export { deleteExpiredKeys, listExpiredKeys } from './statements/reconciler/expired-keys.js';
export { listStaleBalances } from './statements/reconciler/list-stale-balances.js';
export type { StaleBalanceRow } from './statements/reconciler/list-stale-balances.js';
export { listStaleStatuses } from './statements/reconciler/list-stale-statuses.js';
export type { StaleStatusRow } from './statements/reconciler/list-stale-statuses.js';
export { repairProjections } from './statements/reconciler/repair-projections.js';
export type { ProjectionRepair } from './statements/reconciler/repair-projections.js';
export {
  readSweepPositions,
  writeSweepPositions,
} from './statements/reconciler/sweep-positions.js';
export { readEvents } from './statements/reconciler/read-events.js';
export type { EventRef } from './statements/reconciler/read-events.js';

export { insertSeal } from './statements/seals/insert-seal.js';
export type { NewSeal } from './statements/seals/insert-seal.js';
export { listLostSeals, listSealParts, listSeals } from './statements/seals/list-seals.js';
export {
  listLoneLegs,
  listUncountedLegs,
  listUnpostedEvents,
} from './statements/seals/list-uncovered-legs.js';
export type {
  UncoveredLeg,
  UncoveredPage,
  UnpostedEvent,
} from './statements/seals/list-uncovered-legs.js';
export { listUnsealedAccounts } from './statements/seals/list-unsealed-accounts.js';
export type { SealedPosition, UnsealedAccount } from './statements/seals/list-unsealed-accounts.js';
export { readEntries, readPostedEntries } from './statements/seals/read-entries.js';
export type { CrowdedNumber } from './statements/seals/find-crowded-numbers.js';
export type { EntryRange } from './statements/seals/entry-ranges.js';
export type {
  FoundEntries,
  PostedEntry,
  Posting,
  StepEntry,
  StoredLeg,
} from './statements/seals/read-entries.js';
export { readSealInstant } from './statements/seals/read-seal-instant.js';
export type { SealInstant } from './statements/seals/read-seal-instant.js';
export {
  listPositionsWithoutAccount,
  listUnchainedParts,
  listWrongPositions,
} from './statements/seals/seal-mismatches.js';
export type { UnchainedPart, WrongPosition } from './statements/seals/seal-mismatches.js';
export type { SealPartRow, SealRow } from './statements/seals/seal-rows.js';
export { listAccountLegs } from './statements/external/list-account-legs.js';
export type { AccountLeg } from './statements/external/list-account-legs.js';

export { withGlobalSnapshot, withSnapshot } from './snapshots.js';
export { OFFENDERS_MAX } from './statements/check/bound.js';
export { brokenRunningBalances } from './statements/check/broken-running-balances.js';
export type { BrokenRunningBalance } from './statements/check/broken-running-balances.js';
export { countRows } from './statements/check/count-rows.js';
export type { CountedTable } from './statements/check/count-rows.js';
export { eventMismatches } from './statements/check/event-mismatches.js';
export type { EventMismatch } from './statements/check/event-mismatches.js';
export { eventTermsMismatches } from './statements/check/event-terms-mismatches.js';
export type {
  EventTermsMismatch,
  EventTermsPage,
} from './statements/check/event-terms-mismatches.js';
export { heldTotals } from './statements/check/held-totals.js';
export type { HeldTotal } from './statements/check/held-totals.js';
export { holdMismatches } from './statements/check/hold-mismatches.js';
export type { HoldMismatch } from './statements/check/hold-mismatches.js';
export { keysWithoutResult } from './statements/check/keys-without-result.js';
export type { KeyWithoutResult } from './statements/check/keys-without-result.js';
export { legsWithoutAccount } from './statements/check/legs-without-account.js';
export type { LegsWithoutAccount } from './statements/check/legs-without-account.js';
export { listDecisionPage } from './statements/check/list-decision-page.js';
export { listTransferHistories } from './statements/check/list-transfer-histories.js';
export type { TransferHistory } from './statements/check/list-transfer-histories.js';
export { misplacedRows } from './statements/check/misplaced-rows.js';
export type { MisplacedRow, SlottedTable } from './statements/check/misplaced-rows.js';
export { openTransferMismatches } from './statements/check/open-transfer-mismatches.js';
export type { OpenTransferMismatch } from './statements/check/open-transfer-mismatches.js';
export { overdrawnAccounts } from './statements/check/overdrawn-accounts.js';
export type { OverdrawnAccount } from './statements/check/overdrawn-accounts.js';
export {
  projectedBalanceVersions,
  projectedStatusVersions,
} from './statements/check/projected-versions.js';
export { staleBalances } from './statements/check/stale-balances.js';
export type { StaleBalance } from './statements/check/stale-balances.js';
export { staleStatuses } from './statements/check/stale-statuses.js';
export type { StaleStatus } from './statements/check/stale-statuses.js';
export { settlementSums } from './statements/check/settlement-sums.js';
export type { SettlementSum } from './statements/check/settlement-sums.js';
export { strayBalances, strayProjections } from './statements/check/stray-projections.js';
export type { StrayProjection } from './statements/check/stray-projections.js';
export { transfersWithoutKey } from './statements/check/transfers-without-key.js';
export type { TransferWithoutKey } from './statements/check/transfers-without-key.js';
export { transitSums } from './statements/check/transit-sums.js';
export type { TransitSum } from './statements/check/transit-sums.js';
export { unbalancedSlots } from './statements/check/unbalanced-slots.js';
export type { UnbalancedSlot } from './statements/check/unbalanced-slots.js';
export { stepLegMismatches } from './statements/check/step-leg-mismatches.js';
export type { StepLegMismatch } from './statements/check/step-leg-mismatches.js';
export { unbalancedSteps } from './statements/check/unbalanced-steps.js';
export type { UnbalancedStep } from './statements/check/unbalanced-steps.js';
export { wrongBalances } from './statements/check/wrong-balances.js';
export type { WrongBalance } from './statements/check/wrong-balances.js';
export { wrongHeld } from './statements/check/wrong-held.js';
export type { WrongHeld } from './statements/check/wrong-held.js';

export type { OpenPosition } from './statements/rows/open-transfers.js';
export {
  listOpenPositions,
  listVanishedAccounts,
  listVerifiedOpenTransfers,
  moveVerifiedPoint,
  readVerifiedPoint,
  recordFullCheck,
  upsertVerifiedAccounts,
  upsertVerifiedOpenTransfers,
} from './statements/check/since/verified-point.js';
export type { VerifiedAccount, VerifiedPoint } from './statements/check/since/verified-point.js';
export {
  listChangedAccounts,
  listOlderTransfersOfNewLegs,
  sumNewLegs,
} from './statements/check/since/changed-accounts.js';
export type { ChangedAccount, NewLegs } from './statements/check/since/changed-accounts.js';
export { followNewLegs } from './statements/check/since/follow-new-legs.js';
export { countTransferRecords } from './statements/check/since/count-records.js';
export type { RecordCounts } from './statements/check/since/count-records.js';
export { readTransferRecords, transferIdAfter } from './statements/check/since/transfer-records.js';
export type {
  ComparedTransfer,
  RecordedEvent,
  RecordedLeg,
  RecordedStatus,
  RecordedTransfer,
  TransferRecords,
  TransferSelection,
} from './statements/check/since/transfer-records.js';

export { correct } from './repair-transaction.js';
export type { Correction, CorrectionOptions } from './repair-transaction.js';
export {
  readAccountEvidence,
  writeAccountCorrection,
} from './statements/repairs/account-evidence.js';
export type {
  AccountCorrection,
  AccountEvidence,
  HoldsEvidence,
  LegsEvidence,
} from './statements/repairs/account-evidence.js';
export {
  auditLines,
  deleteStrayProjections,
  overwriteBalances,
  overwriteStatuses,
  readBalanceEvidence,
  readStatusEvidence,
} from './statements/repairs/overwrite-projections.js';
export type {
  BalanceEvidence,
  StatusEvidence,
} from './statements/repairs/overwrite-projections.js';
export {
  readTransferEvidence,
  writeTransferCorrection,
} from './statements/repairs/transfer-evidence.js';
export type {
  EventEvidence,
  TransferCorrection,
  TransferEvidence,
} from './statements/repairs/transfer-evidence.js';

export { checkedInSchema, dumpSchema, schemaFile } from './schema-dump.js';

export { grantStatements } from './grants.js';
export type { DatabaseUser } from './grants.js';
export { PRIVILEGES, ROLES } from './privileges.js';
export type { Role, RowRole } from './privileges.js';
