import type { TransferAnswer, TransferStatusAnswer } from '@surety/contracts';
import { findTransfer, readTimeline } from '@surety/db';
import {
  REASONS,
  formatMinor,
  isEnded,
  isReason,
  isSystemAccountId,
  slotOfAccount,
  slotOfTransferId,
} from '@surety/domain';
import type { CurrencyTable, TransferId } from '@surety/domain';
import { shownDataOf, statusOfEvents } from '@surety/saga';
import type { EventRow, ShownData, StatusNow, TransferRow } from '@surety/saga';
import { exponentOf } from './account-answer.js';
import { jsonAnswer } from './answer.js';
import type { Copies } from './copies.js';
import type { EndWatch } from './end-watch.js';
import { transferIdOf } from './exchange.js';
import type { Handler } from './exchange.js';
import { Problem } from './problem.js';
import type { ShardDoors } from './shard-doors.js';
import { mergeTimelines } from './timeline.js';
import type { ShardEvents } from './timeline.js';
import { waitForEnd, waitMsOf } from './wait-for-end.js';

export interface GetTransferDependencies {
  readonly doors: ShardDoors;
  readonly copies: Copies;
  readonly endWatch: EndWatch;
  readonly currencies: CurrencyTable;
}

/** The transfer with its history on both shards, at once or when it has ended. */
export function getTransfer(dependencies: GetTransferDependencies): Handler {
  const { doors, endWatch, currencies } = dependencies;
  const handler: Handler = async (exchange) => {
    const id = transferIdOf(exchange);
    const row = await waitForEnd(exchange, {
      id,
      waitMs: waitMsOf(exchange),
      watch: endWatch,
      read: () => doors.read(slotOfTransferId(id), (shard) => findTransfer(shard, id)),
    });
    if (!row) throw new Problem('transfer-not-found');
    const history = await historyOf(doors, row);
    return jsonAnswer(200, transferAnswer(row, history, currencies));
  };
  return Object.assign(handler, { readsQuery: true } as const);
}

interface History {
  readonly source: ShardEvents;
  /** Undefined where the destination's shard is the source's or is out of reach. */
  readonly destination: ShardEvents | undefined;
  readonly isComplete: boolean;
}

/** The destination's shard may be away; what the source's shard knows is told all the same. */
async function historyOf(doors: ShardDoors, row: TransferRow): Promise<History> {
  const sourceShard = doors.shardOf(row.slot);
  const destinationSlot = isSystemAccountId(row.destination)
    ? row.slot
    : slotOfAccount(row.destination);
  const isLocal = doors.shardOf(destinationSlot) === sourceShard;
  const [source, destination] = await Promise.all([
    doors.read(row.slot, (shard) => eventsOf(shard, row.id)),
    isLocal
      ? undefined
      : doors.read(destinationSlot, (shard) => eventsOf(shard, row.id)).catch(() => undefined),
  ]);
  return { source, destination, isComplete: isLocal || destination !== undefined };
}

async function eventsOf(
  shard: Parameters<typeof readTimeline>[0],
  id: TransferId,
): Promise<ShardEvents> {
  return { shard: shard.id, events: await readTimeline(shard, id) };
}

function transferAnswer(
  row: TransferRow,
  history: History,
  currencies: CurrencyTable,
): TransferAnswer {
  const parts = history.destination ? [history.source, history.destination] : [history.source];
  const { events } = history.source;
  // Each is parsed once, whoever asks for it.
  const shown = new Map(
    parts.flatMap((part) => part.events.map((event) => [event, shownDataOf(event)] as const)),
  );
  const dataOf = (event: EventRow): ShownData | undefined => shown.get(event);
  // The events were read after the row: what they tell may be newer, and the timeline shows it.
  const { status, reason, updatedAt } = withReasonOf(statusOfEvents(events, dataOf), row) ?? {
    status: row.state,
    reason: row.reason ?? undefined,
    updatedAt: row.requestedAt,
  };
  const first = events[0];
  const { description, metadata } = (first && dataOf(first)) ?? {};
  const isReadable = ![...shown.values()].includes(undefined);
  return {
    transactionId: row.id,
    status,
    ...(reason === undefined ? {} : { reason, reasonText: REASONS[reason] }),
    kind: row.kind,
    sourceAccount: row.source,
    destinationAccount: row.destination,
    amount: formatMinor(row.amountMinor, exponentOf(currencies, row.currency)),
    currency: row.currency,
    description,
    metadata,
    requestedAt: row.requestedAt,
    updatedAt,
    timeline: mergeTimelines(parts, dataOf),
    timelineComplete: history.isComplete && isReadable,
  };
}

/** The row has the reason of its state, too: for where the event that gives it cannot be read. */
function withReasonOf<Now extends StatusNow | undefined>(now: Now, row: TransferRow): Now {
  if (!now || now.reason !== undefined || now.status !== row.state) return now;
  return { ...now, reason: row.reason ?? undefined };
}

/**
 * The status as the source's shard has it. An end state cannot change any more, so a copy of it is
 * as good as the row; any other copy may be older than what a client has seen.
 */
export function getTransferStatus({ doors, copies }: GetTransferDependencies): Handler {
  return async (exchange) => {
    const id = transferIdOf(exchange);
    const now = (await endedCopy(copies, id)) ?? (await statusFromShard(doors, id));
    if (!now) throw new Problem('transfer-not-found');
    const { status, reason, updatedAt } = now;
    const answer: TransferStatusAnswer = {
      transactionId: id,
      status,
      ...(reason === undefined ? {} : { reason }),
      updatedAt,
    };
    return jsonAnswer(200, answer);
  };
}

function statusFromShard(doors: ShardDoors, id: TransferId): Promise<StatusNow | undefined> {
  return doors.read(slotOfTransferId(id), async (shard) => {
    const now = statusOfEvents(await readTimeline(shard, id), shownDataOf);
    if (!now || now.reason !== undefined || !endsWithReason(now.status)) return now;
    const row = await findTransfer(shard, id);
    return row ? withReasonOf(now, row) : now;
  });
}

function endsWithReason(status: StatusNow['status']): boolean {
  return status === 'rejected' || status === 'cancelled';
}

async function endedCopy(copies: Copies, id: TransferId): Promise<StatusNow | undefined> {
  const copy = await copies.status(id);
  if (!copy || !isEnded(copy.status)) return undefined;
  const { status, reason, updatedAt } = copy;
  return { status, reason: reason && isReason(reason) ? reason : undefined, updatedAt };
}
