import { readEnvelope } from '@surety/contracts';
import type { EnvelopeData } from '@surety/contracts';
import type { Reason, TransferEventType, TransferStatus } from '@surety/domain';
import type { EventRow } from './ports.js';

/** What only the events know of a transfer. */
export function dataOfEvent(event: EventRow): EnvelopeData {
  return readEnvelope(event.envelope).data;
}

/** What a reader of a transfer may do without. */
export type ShownData = Pick<EnvelopeData, 'reason' | 'description' | 'metadata'>;

/** The same for whoever tells what there is: undefined where a newer release wrote it or it is spoiled. */
export function shownDataOf(event: EventRow): ShownData | undefined {
  try {
    // A text that was spoiled may say anything, null as well.
    const data = dataOfEvent(event) as EnvelopeData | null;
    return data ?? undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The state that an event of the source's stream leaves the transfer in; decisions leave it be. */
const STATE_AFTER: Partial<Record<TransferEventType, TransferStatus>> = {
  requested: 'requested',
  held: 'held',
  committed: 'committed',
  rejected: 'rejected',
  cancelled: 'cancelled',
};

export interface StatusNow {
  readonly status: TransferStatus;
  readonly reason: Reason | undefined;
  /** When the transfer came into this state, by the clock of the source's shard. */
  readonly updatedAt: string;
}

/**
 * The state as the source's stream tells it. The row of the transfer changes in the transaction of
 * the event, so the newest event and the row say the same. Undefined for an empty stream.
 * @param dataOf by default it throws where an event cannot be read
 */
export function statusOfEvents(
  events: readonly EventRow[],
  dataOf: (event: EventRow) => ShownData | undefined = dataOfEvent,
): StatusNow | undefined {
  let now: StatusNow | undefined;
  let step = 0;
  for (const event of events) {
    const status = STATE_AFTER[event.type];
    if (!status || event.step <= step) continue;
    step = event.step;
    now = { status, reason: dataOf(event)?.reason, updatedAt: event.occurredAt };
  }
  return now;
}
