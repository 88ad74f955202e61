import { decideAccountStatus } from '@surety/domain';
import type {
  AccountId,
  AccountStatus,
  AccountStatusCommand,
  AccountStatusOutcome,
} from '@surety/domain';
import type { AuditNote } from './audit.js';
import { NO_CHANGES } from './ports.js';
import type { ShardStore } from './ports.js';

export interface AccountStatusRequest {
  readonly accountId: AccountId;
  readonly command: AccountStatusCommand;
  /** Who wants it: `operator:<name>`. */
  readonly actor: string;
  readonly audit: AuditNote;
}

export interface AccountStatusResult {
  readonly outcome: AccountStatusOutcome;
  /** As it was under lock; null where there is no such account. */
  readonly before: AccountStatus | null;
}

/**
 * Freezes or unfreezes an account under its row lock: a hold or a credit that comes after the commit
 * meets the new status, one that came before has taken effect. The version stays what it is, since
 * it counts changes of balance and held and names what projections have seen of those. A change
 * leaves a line in audit_log, in the same transaction.
 * @throws StoreError
 */
export function changeAccountStatus(
  store: ShardStore,
  { accountId, command, actor, audit }: AccountStatusRequest,
): Promise<AccountStatusResult> {
  return store.transact({ accounts: [accountId] }, (loaded) => {
    const account = loaded.accounts.get(accountId);
    const outcome = decideAccountStatus(account, command);
    const result = { outcome, before: account?.status ?? null };
    if (!account || outcome.kind !== 'changed') return { changes: NO_CHANGES, result };
    const { slot, status: from } = account;
    const { status: to } = outcome;
    const line = {
      ...{ actor, action: `${audit.via}.${command}`, accountId, slot, reason: audit.reason },
      ...{ before: { status: from }, after: { status: to } },
    };
    const changes = {
      ...NO_CHANGES,
      accountStatuses: [{ id: accountId, from, to }],
      audit: [line],
    };
    return { changes, result };
  });
}
