import type { Envelope } from '@surety/contracts';
import type { BalanceRow, StatusRow } from '@surety/db';
import { slotOfAccount } from '@surety/domain';
import type { AccountId, EndStatus, ShardId, TransferId } from '@surety/domain';

/** A status that nothing follows. */
export interface EndRow extends StatusRow {
  readonly status: EndStatus;
}

/** The newest row of each key. */
export interface ProjectedRows {
  readonly balances: ReadonlyMap<AccountId, BalanceRow>;
  readonly statuses: ReadonlyMap<TransferId, EndRow>;
}

/**
 * The end that the event tells, or undefined. Ends alone are projected: whoever asks about a transfer
 * that is under way is answered from its own row.
 */
function endToldBy({ type }: Envelope): EndStatus | undefined {
  switch (type) {
    case 'committed':
    case 'rejected':
    case 'cancelled':
      return type;
    case 'requested':
    case 'held':
    case 'credited':
    case 'refused':
    case 'voided':
      return undefined;
    default:
      return type satisfies never;
  }
}

/**
 * A refusal shows the account as it was seen, unchanged and maybe in another currency than the
 * transfer's. The event that made that version carries it too, so nothing is missed.
 */
function changedAccounts({ type, step }: Envelope): boolean {
  return type !== 'refused' && !(type === 'rejected' && step === 20);
}

/** An envelope says where its two accounts lie, and the decoder has compared: most are either. */
function slotOf(id: AccountId, { data, sourceSlot, destinationSlot }: Envelope): number {
  if (id === data.source) return sourceSlot;
  return id === data.destination ? destinationSlot : slotOfAccount(id);
}

type FoldOfSlot = (slot: number) => ProjectionFold;

function foldEvent(envelope: Envelope, foldOf: FoldOfSlot): void {
  const status = endToldBy(envelope);
  if (status) {
    foldOf(envelope.sourceSlot).putStatus({
      transferId: envelope.transferId,
      slot: envelope.sourceSlot,
      status,
      reason: envelope.data.reason ?? null,
      version: envelope.step,
      updatedAt: envelope.occurredAt,
    });
  }
  if (changedAccounts(envelope)) foldBalances(envelope, foldOf);
}

function foldBalances(envelope: Envelope, foldOf: FoldOfSlot): void {
  for (const { id, balance, held, version: digits } of envelope.accounts) {
    const slot = slotOf(id, envelope);
    const fold = foldOf(slot);
    const version = BigInt(digits);
    if (!fold.isNewer(id, version)) continue;
    fold.balances.set(id, {
      accountId: id,
      slot,
      balance: BigInt(balance),
      held: BigInt(held),
      version,
      updatedAt: envelope.occurredAt,
      currency: envelope.data.currency,
    });
  }
}

/**
 * Folds events, in whatever order and however often they come, into the newest row of each key. The
 * projector and the rebuild use it alike: that is why both come to the same rows.
 */
export class ProjectionFold implements ProjectedRows {
  readonly balances = new Map<AccountId, BalanceRow>();
  readonly statuses = new Map<TransferId, EndRow>();

  take(envelope: Envelope): void {
    foldEvent(envelope, () => this);
  }

  isNewer(account: AccountId, version: bigint): boolean {
    const known = this.balances.get(account);
    return !known || known.version < version;
  }

  putBalance(row: BalanceRow): void {
    if (this.isNewer(row.accountId, row.version)) this.balances.set(row.accountId, row);
  }

  putStatus(row: EndRow): void {
    const known = this.statuses.get(row.transferId);
    if (!known || known.version < row.version) this.statuses.set(row.transferId, row);
  }

  putAll({ balances, statuses }: ProjectedRows): void {
    for (const row of balances.values()) this.putBalance(row);
    for (const row of statuses.values()) this.putStatus(row);
  }

  get size(): number {
    return this.balances.size + this.statuses.size;
  }
}

/** Folds events into the rows of the shards that carry their slots, whatever event brings them. */
export class ShardFolds {
  readonly #shardOf: (slot: number) => ShardId;
  readonly #folds = new Map<ShardId, ProjectionFold>();
  readonly #foldOf: FoldOfSlot = (slot) => {
    const shard = this.#shardOf(slot);
    const known = this.#folds.get(shard);
    if (known) return known;
    const fold = new ProjectionFold();
    this.#folds.set(shard, fold);
    return fold;
  };

  constructor(shardOf: (slot: number) => ShardId) {
    this.#shardOf = shardOf;
  }

  /** @throws RangeError where no shard carries a slot of it */
  take(envelope: Envelope): void {
    foldEvent(envelope, this.#foldOf);
  }

  /** Those of the shards that have got rows. */
  get byShard(): ReadonlyMap<ShardId, ProjectionFold> {
    return this.#folds;
  }
}
