import { topicOfName } from '@surety/contracts';
import { NO_CHANGES } from './ports.js';
import type { AuditEntry, DeadLetterHandling, OutboxRow, ShardStore } from './ports.js';

/** A message that was given up for its own sake, as its shard keeps it. */
export interface DeadLetter {
  /** Its name: 64 hex digits. */
  readonly letter: string;
  /** The name of the Kafka topic it came from. */
  readonly topic: string;
  readonly partition: number;
  readonly slot: number | null;
  /** transferId/step, where it is known which event of the message fails. */
  readonly eventId: string | null;
  readonly payload: string;
}

export interface HandledBy {
  /** `operator:NAME`. */
  readonly actor: string;
  readonly reason: string;
}

/**
 * Sends an open letter once more, the same bytes to the same partition (where that is gone, the relay
 * takes another one), through the outbox of its shard:
 * the mark, the outbox row and the line in audit_log are one transaction. Every step takes effect
 * once, so a letter that had its effect meanwhile changes nothing.
 * @throws StoreError of kind `data` where the letter is not open any more
 * @throws RangeError where its topic is none of ours
 */
export async function replayDeadLetter(
  store: ShardStore,
  letter: DeadLetter,
  by: HandledBy,
): Promise<void> {
  const topic = topicOfName(letter.topic);
  if (!topic) throw new RangeError(`${letter.topic} is no topic that can be sent to`);
  const { partition, payload } = letter;
  await handle(store, letter, { ...by, to: 'replayed', outbox: [{ topic, partition, payload }] });
}

/**
 * Puts an open letter aside for good: it is kept, with who did it and why.
 * @throws StoreError of kind `data` where the letter is not open any more
 */
export function discardDeadLetter(
  store: ShardStore,
  letter: DeadLetter,
  by: HandledBy,
): Promise<void> {
  return handle(store, letter, { ...by, to: 'discarded', outbox: [] });
}

interface Handling extends HandledBy {
  readonly to: DeadLetterHandling['to'];
  readonly outbox: readonly OutboxRow[];
}

function handle(
  store: ShardStore,
  { letter, slot, eventId, topic, partition }: DeadLetter,
  { actor, reason, to, outbox }: Handling,
): Promise<void> {
  const transferId = eventId?.split('/')[0];
  const line: AuditEntry = {
    actor,
    action: to === 'replayed' ? 'dead_letter.replay' : 'dead_letter.discard',
    ...(transferId === undefined ? {} : { transferId }),
    slot: slot ?? 0,
    reason,
    before: { letter, state: 'open', eventId, topic, partition },
    after: { letter, state: to },
  };
  const changes = {
    ...NO_CHANGES,
    outbox,
    audit: [line],
    deadLetters: [{ letter, to, by: actor, reason }],
  };
  return store.transact({}, () => ({ changes, result: undefined }));
}
