/** `topic/partition`: the key under which positions, pauses and lag of a partition are kept. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

export interface Partition {
  readonly topic: string;
  readonly partition: number;
}

interface Position extends Partition {
  /** Offset of the first message that is not handled. */
  readonly next: bigint;
}

/**
 * How far each owned partition has been handled, and which of it the broker has not been told yet.
 * Everything is forgotten when the group is joined anew: a position from before may belong to a
 * partition that is somebody else's now.
 */
export class Positions {
  private positions = new Map<string, Position>();
  private untold = new Map<string, Position>();

  advance({ topic, partition }: Partition, lastHandledOffset: string): void {
    const position = { topic, partition, next: BigInt(lastHandledOffset) + 1n };
    this.positions.set(partitionKey(topic, partition), position);
    this.untold.set(partitionKey(topic, partition), position);
  }

  forget(): void {
    this.positions = new Map();
    this.untold = new Map();
  }

  /** Offset of the first unhandled message, or undefined where nothing was handled yet. */
  nextOf(topic: string, partition: number): bigint | undefined {
    return this.positions.get(partitionKey(topic, partition))?.next;
  }

  /** What is to be committed; `restore` gives it back if that fails. */
  takeUntold(): readonly Position[] {
    const taken = [...this.untold.values()];
    this.untold = new Map();
    return taken;
  }

  /** Only where no newer position has come meanwhile, and the group was not joined anew. */
  restore(taken: readonly Position[]): void {
    for (const position of taken) {
      const key = partitionKey(position.topic, position.partition);
      if (this.positions.get(key) === position) {
        this.untold.set(key, position);
      }
    }
  }
}

/** The form in which the broker takes offsets. */
export function toOffsetCommit(positions: readonly Position[]): {
  topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
} {
  const byTopic = new Map<string, { partition: number; offset: string }[]>();
  for (const { topic, partition, next } of positions) {
    const partitions = byTopic.get(topic) ?? [];
    partitions.push({ partition, offset: next.toString() });
    byTopic.set(topic, partitions);
  }
  return { topics: [...byTopic].map(([topic, partitions]) => ({ topic, partitions })) };
}
