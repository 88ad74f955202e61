/** A message, or one event of it, that fails for its own sake. */
export interface DeadLetter {
  readonly origin: MessageOrigin;
  readonly slot: number;
  /** Of the event, where it is known which one fails; null for a message that cannot be read. */
  readonly eventId: string | null;
  /** What can be sent again once the fault is mended. */
  readonly payload: string;
  readonly error: string;
}

/** Where a message lies in Kafka. */
export interface MessageOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

export interface DeadLetters {
  /** @throws StoreError where the shard is away */
  insert(letter: DeadLetter): Promise<void>;
}

const CAUSES_MAX = 5;
const FAULT_LENGTH_MAX = 4_000;

/** The whole chain of causes in one line: the outermost message alone rarely says what was wrong. */
export function describeFault(error: unknown): string {
  const parts: string[] = [];
  for (let one = error; one instanceof Error && parts.length < CAUSES_MAX; one = one.cause) {
    parts.push(`${one.name}: ${one.message}`);
  }
  const text = parts.length > 0 ? parts.join(' <- ') : String(error);
  return text.slice(0, FAULT_LENGTH_MAX);
}
