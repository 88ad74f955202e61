import type { Timestamp } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import type { Account, AccountId, AccountType, CurrencyCode } from '@surety/domain';
import { ChangeSet } from './change-set.js';
import type { KeyRef, KeyRow, ShardStore } from './ports.js';
import { KEY_LIFETIME_MS } from './request.js';
import { addMs } from './time.js';

export interface AccountOpening {
  readonly id: AccountId;
  readonly tenant: string;
  readonly currency: CurrencyCode;
  readonly type: AccountType;
  readonly owner: string | null;
  readonly overdraftLimit: bigint;
  /** JSON text, stored as it is. */
  readonly metadata: string | null;
  /** Of an opening that came with an idempotency key; without one the id alone makes it once. */
  readonly claim?: KeyClaim;
}

/** An idempotency key, in the slot of the account, and what it is to stand for. */
export interface KeyClaim {
  readonly key: KeyRef;
  readonly fingerprint: string;
}

export type OpeningResult =
  | { readonly kind: 'opened'; readonly account: Account }
  /** The key had opened it before: the account as it was then. */
  | { readonly kind: 'replayed'; readonly account: Account }
  /** Another key or none had opened it before, just like this: the account as it stands now. */
  | { readonly kind: 'existing'; readonly account: Account }
  /** An account of this id exists and differs in what cannot be changed by opening it again. */
  | { readonly kind: 'conflict'; readonly account: Account }
  /** The key was used for something else. */
  | { readonly kind: 'key_reused' };

/**
 * Opens accounts with a balance of zero, each in one transaction with its idempotency key. A key is
 * claimed by the account that it opens, and by nothing else: where the account is there already,
 * nothing is written. Results come in the order of the openings.
 * @throws StoreError
 */
export function openAccounts(
  store: ShardStore,
  openings: readonly AccountOpening[],
): Promise<readonly OpeningResult[]> {
  const load = {
    keys: openings.flatMap(({ claim }) => (claim ? [claim.key] : [])),
    accounts: openings.map((opening) => opening.id),
  };
  return store.transact(load, (loaded) => {
    const set = new ChangeSet(loaded, load);
    const result = openings.map((opening) => take(set, opening));
    return { changes: set.finish(), result };
  });
}

function take(set: ChangeSet, opening: AccountOpening): OpeningResult {
  const { claim } = opening;
  const used = claim && set.key(claim.key);
  if (used) {
    if (used.fingerprint !== claim.fingerprint) return { kind: 'key_reused' };
    // The same request: it says all that the account was when it was opened.
    return { kind: 'replayed', account: newAccount(opening) };
  }
  const known = set.account(opening.id);
  if (known) return { kind: isSame(known, opening) ? 'existing' : 'conflict', account: known };
  const account = newAccount(opening);
  set.insertAccount(account, opening.metadata);
  if (claim) set.insertKey(keyRow(claim, opening.id, set.now));
  return { kind: 'opened', account };
}

function newAccount(opening: AccountOpening): Account {
  const { id, tenant, currency, type, owner, overdraftLimit } = opening;
  return {
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
}

function keyRow({ key, fingerprint }: KeyClaim, accountId: AccountId, now: Timestamp): KeyRow {
  return {
    ...key,
    fingerprint,
    transferId: null,
    answer: JSON.stringify({ accountId }),
    createdAt: now,
    expiresAt: addMs(now, KEY_LIFETIME_MS),
  };
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
