import { composeTransferId, shardOfSlot, slotOfAccount } from '@surety/domain';
import type { Account, AccountId, Money, ShardId, SlotMap, TransferId } from '@surety/domain';
import type { AccountOpening, FundingRequest, TransferRequest } from '@surety/saga';

export function eur(minor: bigint | number): Money {
  return { minor: BigInt(minor), currency: 'EUR' };
}

export function anAccount(id: AccountId, fields: Partial<Account> = {}): Account {
  return {
    id,
    slot: slotOfAccount(id),
    type: 'customer',
    owner: null,
    tenant: 'default',
    currency: 'EUR',
    status: 'open',
    debitsBlocked: false,
    creditsBlocked: false,
    balance: 0n,
    held: 0n,
    overdraftLimit: 0n,
    version: 0n,
    entrySeq: 0n,
    ...fields,
  };
}

/** The first id of the form `prefix-n` whose account lies on the shard. */
export function anAccountIdOn(map: SlotMap, shard: ShardId, prefix: string): AccountId {
  for (let n = 0; ; n += 1) {
    const id = `${prefix}-${n}`;
    if (shardOfSlot(map, slotOfAccount(id)) === shard) return id;
  }
}

export function anOpening(id: AccountId, fields: Partial<AccountOpening> = {}): AccountOpening {
  return {
    id,
    tenant: 'default',
    currency: 'EUR',
    type: 'customer',
    owner: null,
    overdraftLimit: 0n,
    metadata: null,
    ...fields,
  };
}

/** The n-th transfer id of a source account: the same arguments give the same id. */
export function aTransferId(source: AccountId, n: number): TransferId {
  const random = new Uint8Array(8);
  new DataView(random.buffer).setUint32(4, n);
  return composeTransferId(1_700_000_000_000 + n, slotOfAccount(source), random);
}

/** A 64-digit stand-in for the hash of an idempotency key. */
export function aKeyHash(key: string): string {
  return Buffer.from(key).toString('hex').padStart(64, '0').slice(-64);
}

export interface RequestFields {
  readonly n: number;
  readonly source: AccountId;
  readonly destination: AccountId;
  readonly amount: Money;
  readonly key?: string;
  readonly fingerprint?: string;
}

export function aTransferRequest(fields: RequestFields): TransferRequest {
  const { n, source, destination, amount } = fields;
  const key = fields.key ?? `key-${n}`;
  return {
    key: { slot: slotOfAccount(source), keyHash: aKeyHash(key) },
    fingerprint: fields.fingerprint ?? `01${aKeyHash(`${source}>${destination}:${amount.minor}`)}`,
    transferId: aTransferId(source, n),
    tenant: 'default',
    source,
    destination,
    amount,
    traceparent: null,
    actor: 'client:default',
  };
}

export function aDeposit(account: AccountId, amount: Money, n: number): FundingRequest {
  return {
    key: { slot: slotOfAccount(account), keyHash: aKeyHash(`funding-${account}-${n}`) },
    fingerprint: `01${aKeyHash(`${account}:${amount.minor}`)}`,
    transferId: aTransferId(account, 1_000_000 + n),
    tenant: 'default',
    account,
    direction: 'deposit',
    amount,
    traceparent: null,
    actor: 'client:default',
  };
}
