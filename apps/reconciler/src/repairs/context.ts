import { shardOfSlot, slotOfAccount, slotOfTransferId } from '@surety/domain';
import type { AccountId, TransferId } from '@surety/domain';
import type { Shard, ShardPools } from '@surety/db';
import type { CorrectionAuthor } from './verdict.js';

/** What every correction needs. */
export interface CorrectionContext extends CorrectionAuthor {
  readonly dryRun: boolean;
  readonly holdTimeoutMs: number;
  readonly epoch: bigint;
  shardOfAccount(id: AccountId): Shard;
  /** The source's: it has the row, the hold and the own events. */
  shardOfTransfer(id: TransferId): Shard;
}

export function correctionContext(
  pools: ShardPools,
  options: CorrectionAuthor & { readonly dryRun: boolean; readonly holdTimeoutMs: number },
): CorrectionContext {
  const map = pools.slotMaps.current();
  const shardOf = (slot: number): Shard => pools.shards[shardOfSlot(map, slot)] as Shard;
  const { actor, reason, dryRun, holdTimeoutMs } = options;
  return {
    ...{ actor, reason, dryRun, holdTimeoutMs, epoch: map.epoch },
    shardOfAccount: (id) => shardOf(slotOfAccount(id)),
    shardOfTransfer: (id) => shardOf(slotOfTransferId(id)),
  };
}
