import type { TransferEventType, TransferId } from '@surety/domain';
import type {
  ComparedTransfer,
  RecordedEvent,
  RecordedLeg,
  RecordedStatus,
  TransferRecords,
} from '@surety/db';
import type { DecisionRow } from '@surety/saga';

/** The events of one transfer, of one a step: so few that a list is found in faster than a map. */
export class StoryEvents {
  readonly list: RecordedEvent[] = [];

  get(step: number): TransferEventType | undefined {
    for (const event of this.list) if (event.step === step) return event.type;
    return undefined;
  }

  /** Of two events of a step, which only two shards can have, the last is kept. */
  set(event: RecordedEvent): void {
    const at = this.list.findIndex(({ step }) => step === event.step);
    if (at < 0) this.list.push(event);
    else this.list[at] = event;
  }
}

/** Everything that all shards say about one transfer at one instant. */
export interface TransferStory {
  readonly id: TransferId;
  transfer: ComparedTransfer | undefined;
  isListedAsOpen: boolean;
  isListedWhileOpen: boolean;
  readonly events: StoryEvents;
  decision: DecisionRow | undefined;
  readonly legs: RecordedLeg[];
  status: RecordedStatus | undefined;
}

/** Puts together what the shards have said; a row of anything makes a story of its own. */
export function storiesOf(records: readonly TransferRecords[]): readonly TransferStory[] {
  const stories = new Map<TransferId, TransferStory>();
  let last: TransferStory | undefined;
  // Rows about one transfer come one after the other.
  const storyOf = (id: TransferId): TransferStory => {
    if (last?.id === id) return last;
    last = stories.get(id) ?? newStory(id);
    return last;
  };
  const newStory = (id: TransferId): TransferStory => {
    const story: TransferStory = {
      id,
      transfer: undefined,
      isListedAsOpen: false,
      isListedWhileOpen: false,
      events: new StoryEvents(),
      decision: undefined,
      legs: [],
      status: undefined,
    };
    stories.set(id, story);
    return story;
  };
  for (const { transfers, events, decisions, legs, statuses } of records) {
    for (const { transfer, isListedAsOpen, isListedWhileOpen } of transfers) {
      const story = storyOf(transfer.id);
      story.transfer = transfer;
      story.isListedAsOpen = isListedAsOpen;
      story.isListedWhileOpen = isListedWhileOpen;
    }
    for (const event of events) storyOf(event.transferId).events.set(event);
    for (const row of decisions) storyOf(row.transferId).decision = row;
    for (const leg of legs) storyOf(leg.transferId).legs.push(leg);
    for (const row of statuses) storyOf(row.transferId).status = row;
  }
  return [...stories.values()];
}
