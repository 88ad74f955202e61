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
import type { PlacementRead } from './lock-placement.js';
import { updateAccountStatuses } from './update-account-statuses.js';
import { updateAccounts } from './update-accounts.js';
import { updateDeadLetters } from './update-dead-letters.js';
import { deleteOpenTransfers, updateTransfers } from './update-transfers.js';

/**
 * All writes of a transaction: tables in lock order, then the appends.
 * @param placement as the transaction has locked it
 */
export function writeChanges(
  changes: Changes,
  { now, listedBelow }: Pick<PlacementRead, 'now' | 'listedBelow'>,
): string[] {
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
    ...deleteOpenTransfers(changes.transfersUpdated, listedBelow),
    ...insertOpenTransfers(changes.transfersInserted, listedBelow),
    ...insertEvents(changes.events),
    ...insertLegs(changes.legs, now),
    ...insertOutbox(changes.outbox, now),
    ...insertAudit(changes.audit, now),
    ...updateDeadLetters(changes.deadLetters, now),
  ];
}
