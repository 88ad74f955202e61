import type { Timestamp } from '@surety/contracts';
import type { Changes } from '@surety/saga';
import { insertAccounts } from './insert-accounts.js';
import { insertAudit } from './insert-audit.js';
import { insertDecisions } from './insert-decisions.js';
import { insertEvents } from './insert-events.js';
import { deleteHolds, insertHolds } from './insert-holds.js';
import { insertKeys } from './insert-keys.js';
import { insertLegs } from './insert-legs.js';
import { insertOutbox } from './insert-outbox.js';
import { insertOpenTransfers, insertTransfers } from './insert-transfers.js';
import { updateAccountStatuses } from './update-account-statuses.js';
import { updateAccounts } from './update-accounts.js';
import { updateDeadLetters } from './update-dead-letters.js';
import { deleteOpenTransfers, updateTransfers } from './update-transfers.js';

/** All writes of a transaction: tables in lock order, then the appends. */
export function writeChanges(changes: Changes, now: Timestamp): string[] {
  return [
    ...insertKeys(changes.keys),
    ...updateTransfers(changes.transfersUpdated),
    ...insertTransfers(changes.transfersInserted),
    ...insertDecisions(changes.decisions),
    ...updateAccounts(changes.accountsUpdated),
    ...updateAccountStatuses(changes.accountStatuses),
    ...insertAccounts(changes.accountsInserted, now),
    ...deleteHolds(changes.holdsDeleted),
    ...insertHolds(changes.holdsInserted),
    ...deleteOpenTransfers(changes.transfersUpdated),
    ...insertOpenTransfers(changes.transfersInserted),
    ...insertEvents(changes.events),
    ...insertLegs(changes.legs, now),
    ...insertOutbox(changes.outbox, now),
    ...insertAudit(changes.audit, now),
    ...updateDeadLetters(changes.deadLetters, now),
  ];
}
