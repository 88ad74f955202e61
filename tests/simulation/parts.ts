/**
 * The applications' own parts: the relay's cursor, the reconciler's sweeps and the projector's fold,
 * over ports that the simulated world implements.
 */
import type { Envelope } from '@surety/contracts';
import type { AccountId, TransferId, TransferStatus } from '@surety/domain';
import { ProjectionFold } from '@surety/projector';
import { ItemBackoff, ShardSweeps } from '@surety/reconciler';
import type { SweepShard } from '@surety/reconciler';
import { OutboxCursor } from '@surety/relay';
import type { OutboxRead, OutboxReadResult } from '@surety/relay';

export type { SweepReads, SweepShard } from '@surety/reconciler';

/** Pauses between two attempts at the same item: short, so that the bound of liveness is. */
const ITEM_PAUSE_MAX_MS = 10_000;
const SHARD_PAUSE_MS = { first: 1_000, max: 5_000 };
const ITEMS_MAX = 1_000;

export interface Cursor {
  restart(nowMs: number): void;
  plan(nowMs: number): OutboxRead;
  record(read: OutboxRead, result: OutboxReadResult, nowMs: number): void;
}

export function createCursor(): Cursor {
  return new OutboxCursor();
}

export interface SweepMeans {
  readonly source: SweepShard;
  readonly shardOf: (slot: number) => SweepShard;
  readonly holdTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly nowMs: () => number;
  readonly alarmed: (message: string, transferId: TransferId | undefined) => void;
}

/** Passes of all sweeps over the open work of one shard. */
export function createSweeps(means: SweepMeans): () => Promise<void> {
  const { source, shardOf, holdTimeoutMs, stallTimeoutMs, nowMs: now, alarmed } = means;
  const sweeps = new ShardSweeps();
  const backoff = { itemsMax: ITEMS_MAX, now };
  const context = {
    source,
    shardOf,
    holdTimeoutMs,
    stallTimeoutMs,
    dryRun: false,
    itemBackoff: new ItemBackoff({
      ...backoff,
      firstMs: stallTimeoutMs,
      maxMs: ITEM_PAUSE_MAX_MS,
    }),
    shardBackoff: new ItemBackoff({
      ...backoff,
      firstMs: SHARD_PAUSE_MS.first,
      maxMs: SHARD_PAUSE_MS.max,
    }),
    listener: {
      repaired: () => undefined,
      trouble: (trouble: { kind: string; message: string; transferId?: TransferId }) => {
        if (trouble.kind !== 'shard_away') alarmed(trouble.message, trouble.transferId);
      },
    },
    mayGoOn: () => true,
  };
  return () => sweeps.run(context);
}

export interface ProjectedBalance {
  readonly accountId: AccountId;
  readonly balance: bigint;
  readonly held: bigint;
  readonly version: bigint;
}

export interface ProjectedStatus {
  readonly transferId: TransferId;
  readonly status: TransferStatus;
  readonly version: number;
}

export interface Fold {
  take(envelope: Envelope): void;
  readonly balances: ReadonlyMap<AccountId, ProjectedBalance>;
  readonly statuses: ReadonlyMap<TransferId, ProjectedStatus>;
}

export function createFold(): Fold {
  return new ProjectionFold();
}
