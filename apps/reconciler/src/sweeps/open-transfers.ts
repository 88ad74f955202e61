import type { Envelope } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import { expireRequested, sendAgain } from '@surety/saga';
import type { StoredEvent } from '@surety/saga';
import { atDestination, byDestination, storedEvents } from './context.js';
import type { DestinationGroup, SweepContext } from './context.js';
import { isolateBroken } from './isolate.js';
import type { OpenTransfer, OpenTransferCursor } from './ports.js';
import { RECONCILER, recordRepairs } from './repair.js';
import type { Repair } from './repair.js';
import { settle } from './settle.js';

/** Open transfers read together. */
export const OPEN_TRANSFERS_PAGE_MAX = 500;
/** Pages in one pass; the next pass goes on where this one ended. */
export const OPEN_TRANSFERS_PAGES_MAX = 20;
/** A requested transfer is given up after this many hold time-outs. */
export const EXPIRY_HOLD_TIMEOUTS = 2;
/**
 * While the outbox holds rows older than an event, its message may simply not have been published
 * yet; sending it again would load a relay that is behind with more. Not for ever, though: after
 * this many stall time-outs the outbox is no excuse any more.
 */
export const OUTBOX_PATIENCE_STALLS = 10;

/** A stored event that nobody has acted on for `ageMs`. */
interface Standing {
  readonly event: StoredEvent;
  readonly ageMs: number;
}

/**
 * Drives on what stands still: requested and held transfers are sent again from the stored event,
 * decided ones are settled, and requested ones that nobody took up in time are ended.
 * @returns where the next pass should begin; undefined from the start.
 */
export async function sweepOpenTransfers(
  context: SweepContext,
  from: OpenTransferCursor | undefined,
): Promise<OpenTransferCursor | undefined> {
  const { reads } = context.source;
  const outboxAgeMs = await reads.outboxAgeMs();
  let after = from;
  for (let page = 0; page < OPEN_TRANSFERS_PAGES_MAX && context.mayGoOn(); page += 1) {
    const found = await reads.openTransfers(context.stallTimeoutMs, after, OPEN_TRANSFERS_PAGE_MAX);
    const due = found.transfers.filter(({ transferId }) => context.itemBackoff.isDue(transferId));
    await driveRequested(
      context,
      due.filter((transfer) => transfer.state === 'requested'),
      outboxAgeMs,
    );
    await driveHeld(
      context,
      due.filter((transfer) => transfer.state === 'held'),
      outboxAgeMs,
    );
    after = found.next;
    if (!after) return undefined;
  }
  return after;
}

async function driveRequested(
  context: SweepContext,
  transfers: readonly OpenTransfer[],
  outboxAgeMs: number,
): Promise<void> {
  const refs = transfers.map(({ transferId }) => ({ transferId, step: 10 }) as const);
  const events = await storedEvents(context, context.source, refs);
  const expired: Envelope[] = [];
  const standing: Standing[] = [];
  for (const { transferId, ageMs } of transfers) {
    const event = events.get(transferId);
    if (!event) continue;
    if (ageMs > EXPIRY_HOLD_TIMEOUTS * context.holdTimeoutMs) expired.push(event.envelope);
    else standing.push({ event, ageMs });
  }
  await expire(context, expired);
  await send(context, standing, outboxAgeMs);
}

async function driveHeld(
  context: SweepContext,
  transfers: readonly OpenTransfer[],
  outboxAgeMs: number,
): Promise<void> {
  const refs = transfers.map(({ transferId }) => ({ transferId, step: 20 }) as const);
  const events = await storedEvents(context, context.source, refs);
  const standing = new Map<TransferId, Standing>();
  for (const { transferId, ageMs } of transfers) {
    const event = events.get(transferId);
    if (!event) continue;
    const heldForMs = ageMs - sinceRequestMs(event.envelope);
    if (heldForMs > context.stallTimeoutMs) standing.set(transferId, { event, ageMs: heldForMs });
  }
  const causes = Array.from(standing.values(), ({ event }) => event.envelope);
  for (const group of byDestination(context, causes)) {
    const decided = await atDestination(context, group.destination, () =>
      decisionsOf(context, group),
    );
    if (!decided) continue;
    await settle(
      context,
      decided.events.map((envelope) => ({
        decided: envelope,
        cause: 'standing_still',
        before: { state: 'held' },
      })),
    );
    const undecided = group.causes.filter((cause) => !decided.ids.has(cause.transferId));
    const again = undecided.map((cause) => standing.get(cause.transferId) as Standing);
    await send(context, again, outboxAgeMs);
  }
}

function sinceRequestMs(envelope: Envelope): number {
  return Date.parse(envelope.occurredAt) - Date.parse(envelope.requestedAt);
}

interface StandingDecisions {
  readonly ids: ReadonlySet<TransferId>;
  /** Fewer than ids where an event is missing, which was reported. */
  readonly events: readonly Envelope[];
}

async function decisionsOf(
  context: SweepContext,
  { destination, causes }: DestinationGroup,
): Promise<StandingDecisions> {
  const decisions = await destination.reads.decisions(causes.map((cause) => cause.transferId));
  const refs = Array.from(decisions.keys(), (transferId) => ({ transferId, step: 30 }) as const);
  const events = await storedEvents(context, destination, refs);
  return {
    ids: new Set(decisions.keys()),
    events: Array.from(events.values(), (event) => event.envelope),
  };
}

async function send(
  context: SweepContext,
  standing: readonly Standing[],
  outboxAgeMs: number,
): Promise<void> {
  const { source, stallTimeoutMs, itemBackoff } = context;
  const patienceMs = OUTBOX_PATIENCE_STALLS * stallTimeoutMs;
  const lost = standing.filter(
    ({ event, ageMs }) =>
      ageMs > Math.min(outboxAgeMs, patienceMs) && itemBackoff.isDue(event.envelope.id),
  );
  const events = lost.map(({ event }) => event);
  if (events.length === 0) return;
  const repairs = lost.map((one) => sendRepair(source.id, one));
  if (context.dryRun) {
    for (const repair of repairs) context.listener.repaired(repair);
    return;
  }
  await sendAgain(source.store, events);
  for (const { envelope } of events) itemBackoff.attempted(envelope.id);
  await recordRepairs(source, repairs, context.listener);
}

function sendRepair(shard: number, { event, ageMs }: Standing): Repair {
  const { transferId, sourceSlot, type, id } = event.envelope;
  return {
    kind: 'send_again',
    cause: 'standing_still',
    shard,
    slot: sourceSlot,
    transferId,
    before: { state: type, standingMs: Math.round(ageMs) },
    after: { state: type, sent: id },
  };
}

async function expire(context: SweepContext, requested: readonly Envelope[]): Promise<void> {
  const { source, itemBackoff, listener } = context;
  if (context.dryRun) {
    for (const envelope of requested) listener.repaired(expiryRepair(source.id, envelope));
    return;
  }
  const { done, faulty } = await isolateBroken(requested, (batch) =>
    expireRequested(source.store, batch, RECONCILER),
  );
  for (const { item, error } of faulty) {
    itemBackoff.attempted(item.transferId);
    listener.trouble({
      kind: 'data',
      shard: source.id,
      transferId: item.transferId,
      message: 'the requested transfer cannot be ended',
      error,
    });
  }
  const ended = done.filter(({ result }) => result).map(({ item }) => item);
  const repairs = ended.map((envelope) => expiryRepair(source.id, envelope));
  await recordRepairs(source, repairs, listener);
}

function expiryRepair(shard: number, requested: Envelope): Repair {
  return {
    kind: 'expire',
    cause: 'not_taken_up',
    shard,
    slot: requested.sourceSlot,
    transferId: requested.transferId,
    before: { state: 'requested', requestedAt: requested.requestedAt },
    after: { state: 'rejected', reason: 'not_processed' },
  };
}
