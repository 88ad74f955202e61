import type { Life } from './process.js';

export interface LogMessage {
  readonly topic: string;
  readonly partition: number;
  readonly value: string;
}

export interface LogRead {
  readonly messages: readonly LogMessage[];
  /** The offset to commit when these are done. */
  readonly next: number;
}

/** Partitions with offsets per group. It keeps everything; who reads where is the groups' matter. */
export class MessageLog {
  readonly partitions = new Map<string, LogMessage[]>();
  readonly #offsets = new Map<string, number>();
  readonly #heldBackUntilMs = new Map<string, number>();

  /** Resolves when all are written; rejects where nobody knows which were. */
  async publish(life: Life, messages: readonly LogMessage[]): Promise<void> {
    const { faults, random } = life.kernel;
    await life.roundTrip();
    if (faults.strikes('failed_publish')) throw new BrokerAway();
    const reordered = faults.strikes('reordered_messages') ? random.shuffled(messages) : messages;
    for (const message of reordered) {
      this.#append(message);
      if (faults.strikes('repeated_message')) this.#append(message);
    }
    await life.roundTrip();
    if (faults.strikes('unacknowledged_publish')) throw new BrokerAway();
  }

  #append(message: LogMessage): void {
    const key = `${message.topic}/${message.partition}`;
    const messages = this.partitions.get(key);
    if (messages) messages.push(message);
    else this.partitions.set(key, [message]);
  }

  has({ topic, partition, value }: LogMessage): boolean {
    const messages = this.partitions.get(`${topic}/${partition}`) ?? [];
    return messages.some((message) => message.value === value);
  }

  /** Partitions in which the group has something to read now. */
  readable(group: string, nowMs: number): string[] {
    return [...this.partitions.keys()].filter(
      (key) =>
        this.#lag(group, key) > 0 && (this.#heldBackUntilMs.get(`${group} ${key}`) ?? 0) <= nowMs,
    );
  }

  read(group: string, key: string, messagesMax: number): LogRead {
    const from = this.#offset(group, key);
    const messages = (this.partitions.get(key) ?? []).slice(from, from + messagesMax);
    return { messages, next: from + messages.length };
  }

  /** Whoever commits last is believed, as by a real broker: an old owner can set it back. */
  commit(group: string, key: string, offset: number): void {
    this.#offsets.set(`${group} ${key}`, offset);
  }

  /** Everything from the beginning again. */
  rewind(group: string, key: string): void {
    this.commit(group, key, 0);
  }

  /** What the group has not read is lost to it: expired offsets, a topic deleted and made again. */
  skip(group: string, key: string): void {
    this.commit(group, key, this.partitions.get(key)?.length ?? 0);
  }

  holdBack(group: string, key: string, untilMs: number): void {
    this.#heldBackUntilMs.set(`${group} ${key}`, untilMs);
  }

  isRead(group: string): boolean {
    return [...this.partitions.keys()].every((key) => this.#lag(group, key) === 0);
  }

  #offset(group: string, key: string): number {
    return this.#offsets.get(`${group} ${key}`) ?? 0;
  }

  #lag(group: string, key: string): number {
    return (this.partitions.get(key)?.length ?? 0) - this.#offset(group, key);
  }
}

export class BrokerAway extends Error {
  override readonly name = 'BrokerAway';
}
