/**
 * What stands in for the loops of the applications: the relay's cursor, the reconciler's sweeps and
 * the projector's fold, each in its plainest form, over the shapes of the applications' own ports.
 * They say what any correct loop may do; every effect on money is a step of @surety/saga. The
 * applications' rooms do not offer these parts; once they do, this file is the only one to change.
 */
import type { Envelope } from '@surety/contracts';
import { isEnded } from '@surety/domain';
import type { AccountId, TransferId, TransferStatus } from '@surety/domain';
import { applySteps, expireRequested, sendAgain, voidTransfers } from '@surety/saga';
import type { DecisionRow, HoldRow, ShardStore, StepResult, StoredEvent } from '@surety/saga';

export interface CursorRead {
  readonly afterSeq: bigint;
  readonly gaps: readonly bigint[];
  readonly isSweep: boolean;
  readonly plannedAtMs: number;
}

export interface CursorResult {
  readonly seqs: readonly bigint[];
  readonly isFull: boolean;
  readonly foundGaps: readonly bigint[];
}

export interface Cursor {
  restart(nowMs: number): void;
  plan(nowMs: number): CursorRead;
  record(read: CursorRead, result: CursorResult, nowMs: number): void;
}

/** Reads everything that is there, each time. */
export function createCursor(): Cursor {
  return {
    restart: () => undefined,
    plan: (plannedAtMs) => ({ afterSeq: 0n, gaps: [], isSweep: true, plannedAtMs }),
    record: () => undefined,
  };
}

export interface SweepReads {
  expiredHolds(after: undefined, limit: number): Promise<readonly HoldRow[]>;
  openTransfers(
    olderThanMs: number,
    after: undefined,
    limit: number,
  ): Promise<{
    readonly transfers: readonly {
      readonly transferId: TransferId;
      readonly slot: number;
      readonly state: 'requested' | 'held';
      readonly ageMs: number;
    }[];
    readonly next: undefined;
  }>;
  decisions(ids: readonly TransferId[]): Promise<ReadonlyMap<TransferId, DecisionRow>>;
  events(
    refs: readonly { readonly transferId: TransferId; readonly step: 10 | 20 | 30 }[],
  ): Promise<readonly StoredEvent[]>;
  outboxAgeMs(): Promise<number>;
  audit(entries: readonly unknown[]): Promise<void>;
}

export interface SweepShard {
  readonly id: number;
  readonly store: ShardStore;
  readonly reads: SweepReads;
}

export interface SweepMeans {
  readonly source: SweepShard;
  readonly shardOf: (slot: number) => SweepShard;
  readonly holdTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly nowMs: () => number;
  readonly alarmed: (message: string, transferId: TransferId | undefined) => void;
}

const PAGE_MAX = 200;
const ACTOR = 'reconciler';

/** One pass over the open work of a shard, again and again. */
export function createSweeps(means: SweepMeans): () => Promise<void> {
  const { source, holdTimeoutMs, stallTimeoutMs } = means;
  const lastTriedMs = new Map<TransferId, number>();
  const isDue = (id: TransferId): boolean =>
    means.nowMs() - (lastTriedMs.get(id) ?? Number.NEGATIVE_INFINITY) > stallTimeoutMs;

  async function eventOf(shard: SweepShard, id: TransferId, step: 10 | 20 | 30) {
    const [event] = await shard.reads.events([{ transferId: id, step }]);
    return event;
  }

  async function follow(decided: Envelope): Promise<void> {
    const results = await applySteps(source.store, [decided], { holdTimeoutMs, actor: ACTOR });
    tellAlarms(results, decided.transferId);
  }

  function tellAlarms(results: readonly StepResult[], id: TransferId): void {
    for (const result of results) if (result.kind === 'alarm') means.alarmed(result.alarm, id);
  }

  async function endOrphan(id: TransferId): Promise<void> {
    const held = await eventOf(source, id, 20);
    if (!held) return;
    const destination = means.shardOf(held.envelope.destinationSlot);
    const request = { cause: held.envelope, reason: 'hold_expired', actor: ACTOR } as const;
    await voidTransfers(destination.store, [request]);
    const decided = await eventOf(destination, id, 30);
    if (decided) await follow(decided.envelope);
  }

  async function driveOn(id: TransferId, state: TransferStatus, ageMs: number): Promise<void> {
    const event = await eventOf(source, id, state === 'held' ? 20 : 10);
    if (!event) return;
    if (state === 'requested' && ageMs > 2 * holdTimeoutMs) {
      await expireRequested(source.store, [event.envelope], ACTOR);
      return;
    }
    const destination = means.shardOf(event.envelope.destinationSlot);
    const decided = state === 'held' ? await eventOf(destination, id, 30) : undefined;
    if (decided) await follow(decided.envelope);
    else await sendAgain(source.store, [event]);
  }

  return async () => {
    for (const { transferId } of await source.reads.expiredHolds(undefined, PAGE_MAX)) {
      await endOrphan(transferId);
    }
    const open = await source.reads.openTransfers(stallTimeoutMs, undefined, PAGE_MAX);
    for (const { transferId, state, ageMs } of open.transfers) {
      if (!isDue(transferId)) continue;
      lastTriedMs.set(transferId, means.nowMs());
      await driveOn(transferId, state, ageMs);
    }
  };
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

/** The newest row of each key. A refusal shows an account that it did not change. */
export function createFold(): Fold {
  const balances = new Map<AccountId, ProjectedBalance>();
  const statuses = new Map<TransferId, ProjectedStatus>();
  const takeStatus = ({ transferId, type, step: version }: Envelope): void => {
    const isOwn = type === 'requested' || type === 'held' || isEnded(type as TransferStatus);
    const isNewer = (statuses.get(transferId)?.version ?? 0) < version;
    if (!isOwn || !isNewer) return;
    statuses.set(transferId, { transferId, status: type as TransferStatus, version });
  };
  return {
    balances,
    statuses,
    take: (envelope) => {
      takeStatus(envelope);
      const { type, step } = envelope;
      if (type === 'refused' || (type === 'rejected' && step === 20)) return;
      for (const { id, balance, held, version } of envelope.accounts) {
        const known = balances.get(id)?.version ?? -1n;
        if (known >= BigInt(version)) continue;
        const row = { balance: BigInt(balance), held: BigInt(held), version: BigInt(version) };
        balances.set(id, { accountId: id, ...row });
      }
    },
  };
}
