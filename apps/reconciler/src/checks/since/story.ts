import type { Step, TransferEventType, TransferId } from '@surety/domain';
import type { RecordedLeg, RecordedStatus, TransferRecords } from '@surety/db';
import type { DecisionRow, TransferRow } from '@surety/saga';

/** Everything that all shards say about one transfer at one instant. */
export interface TransferStory {
  readonly id: TransferId;
  transfer: TransferRow | undefined;
  isListedAsOpen: boolean;
  readonly events: Map<Step, TransferEventType>;
  /** The terms in each envelope. */
  readonly told: Map<Step, string | null>;
  decision: DecisionRow | undefined;
  readonly legs: RecordedLeg[];
  status: RecordedStatus | undefined;
}

/** Puts together what the shards have said; a row of anything makes a story of its own. */
export function storiesOf(records: readonly TransferRecords[]): readonly TransferStory[] {
  const stories = new Map<TransferId, TransferStory>();
  const storyOf = (id: TransferId): TransferStory => {
    const known = stories.get(id);
    if (known) return known;
    const story: TransferStory = {
      id,
      transfer: undefined,
      isListedAsOpen: false,
      events: new Map(),
      told: new Map(),
      decision: undefined,
      legs: [],
      status: undefined,
    };
    stories.set(id, story);
    return story;
  };
  for (const { transfers, events, decisions, legs, statuses } of records) {
    for (const { transfer, isListedAsOpen } of transfers) {
      Object.assign(storyOf(transfer.id), { transfer, isListedAsOpen });
    }
    for (const { transferId, step, type, told } of events) {
      const story = storyOf(transferId);
      story.events.set(step, type);
      story.told.set(step, told);
    }
    for (const row of decisions) storyOf(row.transferId).decision = row;
    for (const leg of legs) storyOf(leg.transferId).legs.push(leg);
    for (const row of statuses) storyOf(row.transferId).status = row;
  }
  return [...stories.values()];
}
