import { slotOfAccount } from '@surety/domain';
import type { Account, AccountId, AccountType, CurrencyCode } from '@surety/domain';
import { ChangeSet } from './change-set.js';
import type { ShardStore } from './ports.js';

export interface AccountOpening {
  readonly id: AccountId;
  readonly tenant: string;
  readonly currency: CurrencyCode;
  readonly type: AccountType;
  readonly owner: string | null;
  readonly overdraftLimit: bigint;
  /** JSON text, stored as it is. */
  readonly metadata: string | null;
}

export type OpeningResult =
  | { readonly kind: 'opened' | 'existing'; readonly account: Account }
  /** An account of this id exists and differs in what cannot be changed by opening it again. */
  | { readonly kind: 'conflict'; readonly account: Account };

/**
 * Opens accounts with a balance of zero. The id is its own idempotency key: opening the same
 * account again answers with it as it stands now.
 * @throws StoreError
 */
export function openAccounts(
  store: ShardStore,
  openings: readonly AccountOpening[],
): Promise<readonly OpeningResult[]> {
  const load = { accounts: openings.map((opening) => opening.id) };
  return store.transact(load, (loaded) => {
    const set = new ChangeSet(loaded, load);
    const result = openings.map((opening) => take(set, opening));
    return { changes: set.finish(), result };
  });
}

function take(set: ChangeSet, opening: AccountOpening): OpeningResult {
  const known = set.account(opening.id);
  if (known) return { kind: isSame(known, opening) ? 'existing' : 'conflict', account: known };
  const { id, tenant, currency, type, owner, overdraftLimit } = opening;
  const account: Account = {
    id,
    slot: slotOfAccount(id),
    type,
    owner,
    tenant,
    currency,
    status: 'open',
    debitsBlocked: false,
    creditsBlocked: false,
    balance: 0n,
    held: 0n,
    overdraftLimit,
    version: 0n,
    entrySeq: 0n,
  };
  set.insertAccount(account, opening.metadata);
  return { kind: 'opened', account };
}

function isSame(account: Account, opening: AccountOpening): boolean {
  return (
    account.tenant === opening.tenant &&
    account.currency === opening.currency &&
    account.type === opening.type &&
    account.owner === opening.owner &&
    account.overdraftLimit === opening.overdraftLimit
  );
}
