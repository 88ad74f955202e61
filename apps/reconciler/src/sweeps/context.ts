import type { Envelope } from '@surety/contracts';
import type { ShardId, TransferId } from '@surety/domain';
import type { StoreError, StoredEvent } from '@surety/saga';
import type { ItemBackoff } from './item-backoff.js';
import type { EventRef, SweepShard } from './ports.js';
import type { RepairListener, SweepAuthor } from './repair.js';
import { isEpochError, isFencedError } from './routing.js';

/** One pass of the sweeps over the open work of one shard, the source of the transfers it repairs. */
export interface SweepContext {
  readonly source: SweepShard;
  readonly holdTimeoutMs: number;
  readonly stallTimeoutMs: number;
  /** Says what would be done and writes nothing. */
  readonly dryRun: boolean;
  /** In whose name steps are taken and written down. */
  readonly author: SweepAuthor;
  /** Of transfers and events that were tried before. */
  readonly itemBackoff: ItemBackoff;
  /** Of shards that did not answer: a dead one must not cost every pass its time-outs. */
  readonly shardBackoff: ItemBackoff;
  readonly listener: RepairListener;
  /** @throws RangeError where no shard carries the slot. */
  shardOf(slot: number): SweepShard;
  /** False once the lease is gone or the process stops: the pass ends at the next batch. */
  mayGoOn(): boolean;
}

/** What one pass learns on its way. */
export interface PassContext extends SweepContext {
  /** Destinations whose map is another than ours: left alone until the map was read again. */
  readonly staleRoutes: Map<ShardId, StoreError>;
}

/** Where a sweep goes on in its next pass; undefined at the head of its list. */
export interface SweepCursor<Position> {
  after: Position | undefined;
}

/** The stored events of these transfers at one step; what is missing is reported and left alone. */
export async function storedEvents(
  context: SweepContext,
  shard: SweepShard,
  refs: readonly EventRef[],
): Promise<ReadonlyMap<TransferId, StoredEvent>> {
  if (refs.length === 0) return new Map();
  const events = await shard.reads.events(refs);
  const found = new Map(events.map((event) => [event.envelope.transferId, event]));
  for (const { transferId, step } of refs) {
    if (found.has(transferId)) continue;
    context.itemBackoff.attempted(transferId);
    context.listener.trouble({
      kind: 'missing_event',
      shard: shard.id,
      transferId,
      message: `transfer_events has no row (${transferId}, ${step})`,
    });
  }
  return found;
}

export interface DestinationGroup {
  readonly destination: SweepShard;
  readonly causes: readonly Envelope[];
}

export function byDestination(
  context: SweepContext,
  causes: readonly Envelope[],
): readonly DestinationGroup[] {
  const groups = new Map<number, { destination: SweepShard; causes: Envelope[] }>();
  for (const cause of causes) {
    const destination = context.shardOf(cause.destinationSlot);
    const group = groups.get(destination.id);
    if (group) group.causes.push(cause);
    else groups.set(destination.id, { destination, causes: [cause] });
  }
  return [...groups.values()];
}

/**
 * Runs what needs a destination's shard. Where that shard is away the answer is undefined, nothing
 * of this group is touched, and the groups of the other shards go on. The same where that shard was
 * routed to with an old map, which the pass reports at its end.
 * @throws what fails on the source's own shard, and what is fenced anywhere.
 */
export async function atDestination<Result>(
  context: PassContext,
  destination: SweepShard,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const item = `shard/${destination.id}`;
  if (context.staleRoutes.has(destination.id)) return undefined;
  if (!context.shardBackoff.isDue(item)) return undefined;
  try {
    const result = await work();
    context.shardBackoff.forget(item);
    return result;
  } catch (error) {
    if (destination.id === context.source.id || isFencedError(error)) throw error;
    if (isEpochError(error)) {
      context.staleRoutes.set(destination.id, error);
      return undefined;
    }
    context.shardBackoff.attempted(item);
    context.listener.trouble({
      kind: 'shard_away',
      shard: destination.id,
      message: `shard ${destination.id} cannot be asked for its decisions: nothing is released`,
      error,
    });
    return undefined;
  }
}
