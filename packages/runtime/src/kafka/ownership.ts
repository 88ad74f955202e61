import { partitionKey, type Partition } from './partitions.js';

export type Assignment = Readonly<Record<string, readonly number[]>>;

/**
 * Which partitions are this member's since the group was joined.
 *
 * The library may join again while a fetch is under way on the connection to another broker. What that
 * brings was asked for from a position of before, behind messages that are perhaps not handled: to take
 * it would move the position over them. So the first batch of each partition after a join is turned
 * away, whatever it is. It, or what should have come in its place, is fetched again from the position
 * of now; a connection has one fetch under way at a time, so what comes second was asked for since.
 */
export class Ownership {
  #assignment: Assignment = {};
  readonly #asked = new Set<string>();

  get assignment(): Assignment {
    return this.#assignment;
  }

  get hasPartitions(): boolean {
    return Object.values(this.#assignment).some((partitions) => partitions.length > 0);
  }

  joined(assignment: Assignment): void {
    this.#assignment = assignment;
    this.#asked.clear();
  }

  /** Whether a batch of the partition may be taken; false means that nothing of it is to be handled. */
  accepts({ topic, partition }: Partition): boolean {
    if (this.#assignment[topic]?.includes(partition) !== true) return false;
    const key = partitionKey(topic, partition);
    if (this.#asked.has(key)) return true;
    this.#asked.add(key);
    return false;
  }
}
