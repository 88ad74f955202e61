import type { Life } from './process.js';

export interface LogMessage {
  readonly topic: string;
  readonly partition: number;
  readonly value: string;
}

export interface LogRead {
  readonly messages: readonly LogMessage[];
  /** The offset of the first one. */
  readonly from: number;
}

/** What one group has done with one partition. */
interface Progress {
  offset: number;
  heldBackUntilMs: number;
}

class Partition {
  readonly messages: LogMessage[] = [];
  readonly values = new Set<string>();
  readonly #progress = new Map<string, Progress>();

  of(group: string): Progress {
    const known = this.#progress.get(group);
    if (known) return known;
    const progress = { offset: 0, heldBackUntilMs: Number.NEGATIVE_INFINITY };
    this.#progress.set(group, progress);
    return progress;
  }
}

/** Partitions with offsets per group. It keeps everything; who reads where is the groups' matter. */
export class MessageLog {
  readonly #partitions = new Map<string, Partition>();
  readonly #watchers: (() => void)[] = [];

  get keys(): readonly string[] {
    return [...this.#partitions.keys()];
  }

  /** Told whenever there may be something to read that was not there before. */
  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

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
    this.#tell();
    await life.roundTrip();
    if (faults.strikes('unacknowledged_publish')) throw new BrokerAway();
  }

  #append(message: LogMessage): void {
    const key = `${message.topic}/${message.partition}`;
    const partition = this.#partitions.get(key) ?? new Partition();
    this.#partitions.set(key, partition);
    partition.messages.push(message);
    partition.values.add(message.value);
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }

  has({ topic, partition, value }: LogMessage): boolean {
    return this.#partitions.get(`${topic}/${partition}`)?.values.has(value) ?? false;
  }

  /** Partitions in which the group has something to read now. */
  readable(group: string, nowMs: number): string[] {
    const keys: string[] = [];
    for (const [key, partition] of this.#partitions) {
      const { offset, heldBackUntilMs } = partition.of(group);
      if (offset < partition.messages.length && heldBackUntilMs <= nowMs) keys.push(key);
    }
    return keys;
  }

  read(group: string, key: string, messagesMax: number): LogRead {
    const partition = this.#at(key);
    const from = partition.of(group).offset;
    return { messages: partition.messages.slice(from, from + messagesMax), from };
  }

  /** Whoever commits last is believed: an old owner can set it back, which a real broker refuses. */
  commit(group: string, key: string, offset: number): void {
    this.#at(key).of(group).offset = offset;
  }

  /** Everything from the beginning again. */
  rewind(group: string, key: string): void {
    this.commit(group, key, 0);
    this.#tell();
  }

  /** What the group has not read is lost to it: expired offsets, a topic deleted and made again. */
  skip(group: string, key: string): void {
    this.commit(group, key, this.#at(key).messages.length);
  }

  holdBack(group: string, key: string, untilMs: number): void {
    this.#at(key).of(group).heldBackUntilMs = untilMs;
  }

  isRead(group: string): boolean {
    for (const partition of this.#partitions.values()) {
      if (partition.of(group).offset < partition.messages.length) return false;
    }
    return true;
  }

  #at(key: string): Partition {
    const partition = this.#partitions.get(key);
    if (!partition) throw new RangeError(`there is no partition ${key}`);
    return partition;
  }
}

export class BrokerAway extends Error {
  override readonly name = 'BrokerAway';
}
