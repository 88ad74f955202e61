import { judgeStored } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import type { ShardId, TransferId } from '@surety/domain';
import type { EventRow, StoreError, StoredEvent } from '@surety/saga';
import type { ItemBackoff } from './item-backoff.js';
import type { EventRef, SweepShard } from './ports.js';
import type { RepairListener, SweepAuthor, Trouble } from './repair.js';
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
  /**
   * Whether the source carries the slot of what it has open. A move leaves copies behind until they
   * are removed: who carries the slot drives them on, and a step on a copy would be taken twice. To
   * be asked of every row first: a no has the pass look for a newer map (routing.ts).
   */
  carries(slot: number): boolean;
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

/**
 * The stored events of these transfers at one step; what is missing or cannot be read, a newer
 * release's among it, is reported and left alone, and keeps no other from being repaired.
 */
export async function storedEvents(
  context: SweepContext,
  shard: SweepShard,
  refs: readonly EventRef[],
): Promise<ReadonlyMap<TransferId, StoredEvent>> {
  const found = new Map<TransferId, StoredEvent>();
  if (refs.length === 0) return found;
  const rows = new Map((await shard.reads.events(refs)).map((row) => [row.transferId, row]));
  for (const ref of refs) {
    const event = eventOf(ref, rows.get(ref.transferId));
    if ('envelope' in event) {
      found.set(ref.transferId, event);
      continue;
    }
    context.itemBackoff.attempted(ref.transferId);
    context.listener.trouble({ ...event, shard: shard.id, transferId: ref.transferId });
  }
  return found;
}

function eventOf(
  { transferId, step }: EventRef,
  row: EventRow | undefined,
): StoredEvent | Pick<Trouble, 'kind' | 'message'> {
  if (!row) {
    const message = `transfer_events has no row (${transferId}, ${step})`;
    return { kind: 'missing_event', message };
  }
  const { envelope: encoded } = row;
  const id = `${transferId}/${step}`;
  const read = judgeStored(id, encoded);
  if ('envelope' in read) return { ...read, encoded };
  return { kind: 'data', message: `the event ${id} cannot be read: ${read.fault}` };
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
