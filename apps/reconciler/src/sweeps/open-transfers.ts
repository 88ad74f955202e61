import type { Envelope } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import { expireRequested, sendAgain } from '@surety/saga';
import type { StoredEvent } from '@surety/saga';
import { atDestination, byDestination, storedEvents } from './context.js';
import type { DestinationGroup, PassContext, SweepCursor } from './context.js';
import { isolateBroken, leaveBroken } from './isolate.js';
import type { OpenTransfer, OpenTransferCursor } from './ports.js';
import { authored, idsOf } from './repair.js';
import type { Repair } from './repair.js';
import { settle } from './settle.js';

/** Open transfers read together. */
export const OPEN_TRANSFERS_PAGE_MAX = 500;
/** Pages in one pass; the next pass goes on where this one ended. */
export const OPEN_TRANSFERS_PAGES_MAX = 20;
/**
 * Events sent again in one pass: a system that stands still because it is overloaded must not be
 * given thousands of messages more at once. Not less than a page, so that every pass gets on.
 */
export const RESENDS_PER_PASS_MAX = OPEN_TRANSFERS_PAGE_MAX;
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

/** What all pages of one pass share. */
interface Pass {
  readonly context: PassContext;
  /** An event younger than this may still lie in the outbox. */
  readonly outboxWaitMs: number;
  resendsLeft: number;
}

/**
 * Drives on what stands still: requested and held transfers are sent again from the stored event,
 * decided ones are settled, and requested ones that nobody took up in time are ended. What is not
 * due yet is passed over before anything more than its row is read. The cursor moves on before the
 * repair, so that a page that fails does not stand in the way; it stays where the bound on messages
 * left some of a page over.
 */
export async function sweepOpenTransfers(
  context: PassContext,
  cursor: SweepCursor<OpenTransferCursor>,
): Promise<void> {
  const { source, stallTimeoutMs } = context;
  const patienceMs = OUTBOX_PATIENCE_STALLS * stallTimeoutMs;
  const outboxWaitMs = Math.min(await source.reads.outboxAgeMs(), patienceMs);
  const pass: Pass = { context, outboxWaitMs, resendsLeft: RESENDS_PER_PASS_MAX };
  for (let page = 0; page < OPEN_TRANSFERS_PAGES_MAX && context.mayGoOn(); page += 1) {
    const from = cursor.after;
    const found = await source.reads.openTransfers(stallTimeoutMs, from, OPEN_TRANSFERS_PAGE_MAX);
    cursor.after = found.next;
    if (!(await drive(pass, found.transfers))) {
      cursor.after = from;
      return;
    }
    if (!cursor.after) return;
  }
}

/** @returns false where events of this page were left over for the next pass. */
async function drive(pass: Pass, transfers: readonly OpenTransfer[]): Promise<boolean> {
  const due = transfers.filter(
    (transfer) => pass.context.carries(transfer.slot) && isDue(pass, transfer),
  );
  const requested = await driveRequested(
    pass,
    due.filter((transfer) => transfer.state === 'requested'),
  );
  const held = await driveHeld(
    pass,
    due.filter((transfer) => transfer.state === 'held'),
  );
  return requested && held;
}

/** Only from the row itself and from memory: envelopes and decisions are read for what is due. */
function isDue({ context, outboxWaitMs }: Pass, transfer: OpenTransfer): boolean {
  const { itemBackoff } = context;
  if (!itemBackoff.isDue(transfer.transferId)) return false;
  if (transfer.state === 'held') return itemBackoff.isDue(eventId(transfer.transferId, 20));
  if (isExpired(context, transfer)) return true;
  return transfer.ageMs > outboxWaitMs && itemBackoff.isDue(eventId(transfer.transferId, 10));
}

function isExpired(context: PassContext, { state, ageMs }: OpenTransfer): boolean {
  return state === 'requested' && ageMs > EXPIRY_HOLD_TIMEOUTS * context.holdTimeoutMs;
}

function eventId(transferId: TransferId, step: 10 | 20): string {
  return `${transferId}/${step}`;
}

async function driveRequested(pass: Pass, transfers: readonly OpenTransfer[]): Promise<boolean> {
  const { context } = pass;
  const refs = transfers.map(({ transferId }) => ({ transferId, step: 10 }) as const);
  const events = await storedEvents(context, context.source, refs);
  const expired: Envelope[] = [];
  const standing: Standing[] = [];
  for (const transfer of transfers) {
    const event = events.get(transfer.transferId);
    if (!event) continue;
    if (isExpired(context, transfer)) expired.push(event.envelope);
    else standing.push({ event, ageMs: transfer.ageMs });
  }
  await expire(context, expired);
  return send(pass, standing);
}

async function driveHeld(pass: Pass, transfers: readonly OpenTransfer[]): Promise<boolean> {
  const { context } = pass;
  const standing = await standingHolds(context, transfers);
  const causes = Array.from(standing.values(), ({ event }) => event.envelope);
  let isAllSent = true;
  for (const group of byDestination(context, causes)) {
    const decided = await atDestination(context, group.destination, () =>
      decisionsOf(context, group),
    );
    if (!decided) continue;
    await settle(
      context,
      'standing_still',
      decided.events.map((envelope) => ({
        decided: envelope,
        before: { state: 'held' },
      })),
    );
    const undecided = group.causes.filter((cause) => !decided.ids.has(cause.transferId));
    const again = undecided.map((cause) => standing.get(cause.transferId) as Standing);
    isAllSent = (await send(pass, again)) && isAllSent;
  }
  return isAllSent;
}

/** Those held for longer than the stall time-out; the younger ones are due when they are that old. */
async function standingHolds(
  context: PassContext,
  transfers: readonly OpenTransfer[],
): Promise<ReadonlyMap<TransferId, Standing>> {
  const refs = transfers.map(({ transferId }) => ({ transferId, step: 20 }) as const);
  const events = await storedEvents(context, context.source, refs);
  const standing = new Map<TransferId, Standing>();
  for (const { transferId, ageMs } of transfers) {
    const event = events.get(transferId);
    if (!event) continue;
    const heldForMs = ageMs - sinceRequestMs(event.envelope);
    const earlyMs = context.stallTimeoutMs - heldForMs;
    if (earlyMs >= 0) context.itemBackoff.postponed(event.envelope.id, earlyMs);
    else standing.set(transferId, { event, ageMs: heldForMs });
  }
  return standing;
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
  context: PassContext,
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

/** @returns false where the bound on messages left some of them over for the next pass. */
async function send(pass: Pass, standing: readonly Standing[]): Promise<boolean> {
  const { context, outboxWaitMs } = pass;
  const { source, stallTimeoutMs, itemBackoff } = context;
  const lost: Standing[] = [];
  for (const one of standing) {
    if (one.ageMs > outboxWaitMs) lost.push(one);
    else itemBackoff.postponed(one.event.envelope.id, stallTimeoutMs);
  }
  const now = lost.slice(0, pass.resendsLeft);
  const isAllSent = now.length === lost.length;
  if (now.length === 0) return isAllSent;
  const events = now.map(({ event }) => event);
  const repairs = now.map((one) => sendRepair(source.id, one));
  pass.resendsLeft -= now.length;
  const by = authored(context.author, 'standing_still');
  if (!context.dryRun) await sendAgain(source.store, events, by);
  for (const { envelope } of events) itemBackoff.attempted(envelope.id);
  for (const repair of repairs) context.listener.repaired(repair);
  return isAllSent;
}

function sendRepair(shard: number, { event, ageMs }: Standing): Repair {
  const { sourceSlot, type, id } = event.envelope;
  return {
    kind: 'send_again',
    cause: 'standing_still',
    shard,
    slot: sourceSlot,
    ...idsOf(event.envelope),
    before: { state: type, standingMs: Math.round(ageMs) },
    after: { state: type, sent: id },
  };
}

async function expire(context: PassContext, requested: readonly Envelope[]): Promise<void> {
  const { source, itemBackoff, listener } = context;
  if (context.dryRun) {
    for (const envelope of requested) {
      itemBackoff.attempted(envelope.transferId);
      listener.repaired(expiryRepair(source.id, envelope));
    }
    return;
  }
  const { actor, audit } = authored(context.author, 'not_taken_up');
  const { done, faulty } = await isolateBroken(requested, (batch) =>
    expireRequested(source.store, batch, actor, audit),
  );
  for (const { item, error } of faulty) {
    const message = 'the requested transfer cannot be ended';
    leaveBroken(context, { shard: source.id, event: item, message, error });
  }
  const ended = done.filter(({ result }) => result).map(({ item }) => item);
  for (const envelope of ended) listener.repaired(expiryRepair(source.id, envelope));
}

function expiryRepair(shard: number, requested: Envelope): Repair {
  return {
    kind: 'expire',
    cause: 'not_taken_up',
    shard,
    slot: requested.sourceSlot,
    ...idsOf(requested),
    before: { state: 'requested', requestedAt: requested.requestedAt },
    after: { state: 'rejected', reason: 'not_processed' },
  };
}
