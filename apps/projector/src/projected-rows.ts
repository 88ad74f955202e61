import type { Envelope } from '@surety/contracts';
import type { BalanceRow, StatusRow } from '@surety/db';
import { slotOfAccount } from '@surety/domain';
import type { AccountId, TransferId, TransferStatus } from '@surety/domain';

/** The newest row of each key. */
export interface ProjectedRows {
  readonly balances: ReadonlyMap<AccountId, BalanceRow>;
  readonly statuses: ReadonlyMap<TransferId, StatusRow>;
}

/** The status after an event of the source, or undefined for the destination's decisions. */
function statusAfter({ type }: Envelope): TransferStatus | undefined {
  switch (type) {
    case 'requested':
    case 'held':
    case 'committed':
    case 'rejected':
    case 'cancelled':
      return type;
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

/**
 * Folds events, in whatever order and however often they come, into the newest row of each key. The
 * projector and the rebuild use it alike: that is why both come to the same rows.
 */
export class ProjectionFold implements ProjectedRows {
  readonly balances = new Map<AccountId, BalanceRow>();
  readonly statuses = new Map<TransferId, StatusRow>();

  take(envelope: Envelope): void {
    this.#takeStatus(envelope);
    if (changedAccounts(envelope)) this.#takeBalances(envelope);
  }

  #takeStatus(envelope: Envelope): void {
    const status = statusAfter(envelope);
    if (!status) return;
    this.putStatus({
      transferId: envelope.transferId,
      slot: envelope.sourceSlot,
      status,
      reason: envelope.data.reason ?? null,
      version: envelope.step,
      updatedAt: envelope.occurredAt,
    });
  }

  #takeBalances(envelope: Envelope): void {
    for (const { id, balance, held, version } of envelope.accounts) {
      this.putBalance({
        accountId: id,
        slot: slotOfAccount(id),
        balance: BigInt(balance),
        held: BigInt(held),
        version: BigInt(version),
        updatedAt: envelope.occurredAt,
        currency: envelope.data.currency,
      });
    }
  }

  putBalance(row: BalanceRow): void {
    const known = this.balances.get(row.accountId);
    if (!known || known.version < row.version) this.balances.set(row.accountId, row);
  }

  putStatus(row: StatusRow): void {
    const known = this.statuses.get(row.transferId);
    if (!known || known.version < row.version) this.statuses.set(row.transferId, row);
  }

  get size(): number {
    return this.balances.size + this.statuses.size;
  }
}

/** Rows by the shard that carries their slot. */
export function byShard(
  rows: ProjectedRows,
  shardOf: (slot: number) => number,
): ReadonlyMap<number, ProjectionFold> {
  const shards = new Map<number, ProjectionFold>();
  const foldOf = (slot: number): ProjectionFold => {
    const shard = shardOf(slot);
    const fold = shards.get(shard) ?? new ProjectionFold();
    shards.set(shard, fold);
    return fold;
  };
  for (const row of rows.balances.values()) foldOf(row.slot).putBalance(row);
  for (const row of rows.statuses.values()) foldOf(row.slot).putStatus(row);
  return shards;
}
