import type { Admin } from 'kafkajs';
import { createClient } from './client.js';
import { partitionKey, type Positions } from './partitions.js';
import type { ConsumerOptions } from './ports.js';

export interface Progress {
  readonly assignment: Readonly<Record<string, readonly number[]>>;
  readonly positions: Positions;
}

/**
 * Asks the broker where each partition ends. What the last fetch said is not enough: of a paused
 * partition there is none, and that is the one whose lag matters.
 */
export class LagReader {
  private readonly options: ConsumerOptions;
  private admin: Promise<Admin> | undefined;
  private last: ReadonlyMap<string, number> = new Map();

  constructor(options: ConsumerOptions) {
    this.options = options;
  }

  /** The lag of every assigned partition; while the broker is away, what was known last. */
  async read(progress: Progress): Promise<ReadonlyMap<string, number>> {
    try {
      const admin = await this.connect();
      const topics = Object.keys(progress.assignment);
      const lags = await Promise.all(topics.map((topic) => this.readTopic(admin, topic, progress)));
      this.last = new Map(lags.flat());
    } catch (error) {
      this.options.log.debug('consumer lag could not be read', { error });
      await this.close();
    }
    return this.last;
  }

  async close(): Promise<void> {
    const admin = this.admin;
    this.admin = undefined;
    await admin?.then((connected) => connected.disconnect()).catch(() => undefined);
  }

  private connect(): Promise<Admin> {
    this.admin ??= openAdmin(this.options);
    return this.admin;
  }

  private async readTopic(
    admin: Admin,
    topic: string,
    { assignment, positions }: Progress,
  ): Promise<[string, number][]> {
    const { groupId } = this.options;
    const [ends, [committed]] = await Promise.all([
      admin.fetchTopicOffsets(topic),
      admin.fetchOffsets({ groupId, topics: [topic] }),
    ]);
    return (assignment[topic] ?? []).map((partition) => {
      const bounds = ends.find((entry) => entry.partition === partition);
      const told = committed?.partitions.find((entry) => entry.partition === partition);
      const next = positions.nextOf(topic, partition) ?? BigInt(told?.offset ?? NOT_COMMITTED);
      return [partitionKey(topic, partition), bounds ? remaining(bounds, next) : 0];
    });
  }
}

/** What the broker answers for a partition of which nothing was committed: reading begins at its start. */
const NOT_COMMITTED = -1;

function remaining({ low, high }: { low: string; high: string }, next: bigint): number {
  const start = BigInt(low);
  const lag = BigInt(high) - (next > start ? next : start);
  return lag > 0n ? Number(lag) : 0;
}

async function openAdmin(options: ConsumerOptions): Promise<Admin> {
  const admin = createClient(options).admin();
  await admin.connect();
  return admin;
}
