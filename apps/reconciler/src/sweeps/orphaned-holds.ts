import type { Envelope } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import { voidTransfers } from '@surety/saga';
import type { HoldRow, VoidResult } from '@surety/saga';
import { atDestination, byDestination, storedEvents } from './context.js';
import type { DestinationGroup, PassContext, SweepCursor } from './context.js';
import { isolateBroken, leaveBroken } from './isolate.js';
import type { HoldCursor } from './ports.js';
import { authored, idsOf } from './repair.js';
import type { Repair } from './repair.js';
import { settle } from './settle.js';

/** Holds taken up together: bounds the rows that one repair transaction locks. */
export const EXPIRED_HOLDS_BATCH_MAX = 200;
/**
 * Batches in one pass: bounds how long a pass keeps the other sweeps of its shard waiting. The next
 * pass goes on where this one ended, so that holds whose destination is away never keep those behind
 * them from being reached.
 */
export const EXPIRED_HOLDS_PAGES_MAX = 20;

/**
 * Ends transfers whose hold expired before the destination decided. Decision before release: the
 * destination is fenced first, then whatever stands there is followed. A hold whose destination is
 * away stays where it is. The cursor moves on before the repair: a batch that fails comes round
 * again and does not stand in the way meanwhile.
 */
export async function sweepOrphanedHolds(
  context: PassContext,
  cursor: SweepCursor<HoldCursor>,
): Promise<void> {
  for (let page = 0; page < EXPIRED_HOLDS_PAGES_MAX && context.mayGoOn(); page += 1) {
    const holds = await context.source.reads.expiredHolds(cursor.after, EXPIRED_HOLDS_BATCH_MAX);
    cursor.after = holds.length < EXPIRED_HOLDS_BATCH_MAX ? undefined : holds.at(-1);
    await repairHolds(
      context,
      holds.filter(
        (hold) => context.carries(hold.slot) && context.itemBackoff.isDue(hold.transferId),
      ),
    );
    if (!cursor.after) return;
  }
}

async function repairHolds(context: PassContext, holds: readonly HoldRow[]): Promise<void> {
  const refs = holds.map(({ transferId }) => ({ transferId, step: 20 }) as const);
  const held = await storedEvents(context, context.source, refs);
  const rows = new Map(holds.map((hold) => [hold.transferId, hold]));
  const causes = Array.from(held.values(), (event) => event.envelope);
  for (const group of byDestination(context, causes)) {
    const decided = await atDestination(context, group.destination, () => decide(context, group));
    if (!decided) continue;
    await settle(
      context,
      'hold_expired',
      decided.map((envelope) => ({
        decided: envelope,
        before: holdState(rows.get(envelope.transferId)),
      })),
    );
  }
}

function holdState(hold: HoldRow | undefined): Record<string, unknown> {
  if (!hold) return { state: 'held' };
  const { account, amountMinor, expiresAt } = hold;
  return { state: 'held', hold: { account, amountMinor: amountMinor.toString(), expiresAt } };
}

/** Fences the group at its destination and answers with the decision events that stand there now. */
async function decide(
  context: PassContext,
  { destination, causes }: DestinationGroup,
): Promise<readonly Envelope[]> {
  if (context.dryRun) return foresee(context, { destination, causes });
  const by = authored(context.author, 'hold_expired');
  const { done, faulty } = await isolateBroken(causes, (batch) =>
    voidTransfers(
      destination.store,
      batch.map((cause) => ({ cause, reason: 'hold_expired', ...by })),
    ),
  );
  for (const { item, error } of faulty) {
    const message = 'the transfer cannot be voided at its destination: its hold stays';
    leaveBroken(context, { shard: destination.id, event: item, message, error });
  }
  const voided = done.flatMap(({ result }) => (result.voided ? [result.voided] : []));
  for (const event of voided) context.listener.repaired(voidRepair(destination.id, event));
  const standing = done.filter(({ result }) => !result.voided);
  return [...voided, ...(await standingEvents(context, destination, standing))];
}

async function standingEvents(
  context: PassContext,
  destination: DestinationGroup['destination'],
  standing: readonly { readonly item: Envelope; readonly result: VoidResult }[],
): Promise<readonly Envelope[]> {
  const refs = standing.map(({ item }) => ({ transferId: item.transferId, step: 30 }) as const);
  const events = await storedEvents(context, destination, refs);
  return Array.from(events.values(), (event) => event.envelope);
}

function voidRepair(shard: number, voided: Envelope): Repair {
  return {
    kind: 'void',
    cause: 'hold_expired',
    shard,
    slot: voided.destinationSlot,
    ...idsOf(voided),
    before: { decision: null },
    after: { decision: 'voided', reason: 'hold_expired' },
  };
}

/** What a dry run says: the decision that stands, or the void that would be written. */
async function foresee(
  context: PassContext,
  { destination, causes }: DestinationGroup,
): Promise<readonly Envelope[]> {
  const ids: TransferId[] = causes.map((cause) => cause.transferId);
  const decisions = await destination.reads.decisions(ids);
  const decided = ids.filter((id) => decisions.has(id));
  const standing = await storedEvents(
    context,
    destination,
    decided.map((transferId) => ({ transferId, step: 30 })),
  );
  const foreseen = causes
    .filter((cause) => !decisions.has(cause.transferId))
    .map((cause) => wouldBeVoided(cause, context.author.actor));
  for (const event of foreseen) context.listener.repaired(voidRepair(destination.id, event));
  return [...Array.from(standing.values(), (event) => event.envelope), ...foreseen];
}

function wouldBeVoided(cause: Envelope, actor: string): Envelope {
  return {
    ...cause,
    id: `${cause.transferId}/30`,
    type: 'voided',
    step: 30,
    actor,
    causation: cause.id,
    data: { ...cause.data, reason: 'hold_expired' },
  };
}
