import { TOPICS } from '@surety/contracts';
import type { Topic } from '@surety/contracts';
import { PARTITIONS_DEFAULT, createTopics } from '@surety/runtime';
import { eventually } from '@surety/testing/system';
import type { ProcessName } from '@surety/testing/system';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';

/** The groups that our processes join, with what they read. */
export const GROUPS_OF_PROCESSES: Readonly<
  Partial<Record<ProcessName, { group: string; topics: readonly string[] }>>
> = {
  workers: { group: 'surety-workers', topics: [TOPICS.toSource, TOPICS.toDestination] },
  projector: { group: 'surety-projector', topics: Object.values(TOPICS) },
};

const REQUEST_WITHIN_MS = 10_000;
/** A member that was killed stays in its group until its session is over. */
const GROUP_EMPTY_WITHIN_MS = 20_000;

/** Kafka as an administrator sees it, past the proxy. */
export class Broker {
  readonly #brokers: readonly string[];

  constructor(broker: string) {
    this.#brokers = [broker];
  }

  /** Everything in it is lost, and the offsets that were written for it. */
  async remakeTopic(topic: Topic, pause: () => Promise<void>): Promise<void> {
    const name = TOPICS[topic];
    await this.#asAdmin((admin) => admin.deleteTopics({ topics: [name] }));
    await pause();
    await eventually(
      `the topic ${name} again`,
      async () => {
        const partitions = PARTITIONS_DEFAULT;
        await createTopics({ brokers: this.#brokers, topics: [name], partitions });
        return true;
      },
      { withinMs: 60_000, everyMs: 200 },
    );
  }

  /** Forgets how far a group has read; its members must be gone or going. */
  async forgetGroup(group: string): Promise<void> {
    await this.#asAdmin((admin) =>
      eventually(
        `the end of the group ${group}`,
        async () => {
          const { groups } = await admin.describeGroups([group]);
          if (groups[0]?.state === 'Dead') return true;
          await admin.deleteGroups([group]);
          return true;
        },
        { withinMs: GROUP_EMPTY_WITHIN_MS, everyMs: 250 },
      ),
    );
  }

  /** Messages that the group has not yet read in full, over all its topics. */
  lag(group: string, topics: readonly string[]): Promise<number> {
    return this.#asAdmin(async (admin) => {
      const read = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
      let lag = 0n;
      for (const { topic, partitions } of read) {
        const done = new Map(partitions.map((one) => [one.partition, BigInt(one.offset)]));
        for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
          // Without an offset (-1) reading begins with the oldest message there is.
          const from = done.get(partition) ?? -1n;
          lag += BigInt(high) - (from < BigInt(low) ? BigInt(low) : from);
        }
      }
      return Number(lag);
    });
  }

  /** Messages that lie in the topics. */
  size(topics: readonly string[]): Promise<number> {
    return this.#asAdmin(async (admin) => {
      const all = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
      return all
        .flat()
        .reduce((total, { low, high }) => total + Number(BigInt(high) - BigInt(low)), 0);
    });
  }

  async #asAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Kafka({
      clientId: 'surety-chaos',
      brokers: [...this.#brokers],
      logLevel: logLevel.NOTHING,
      requestTimeout: REQUEST_WITHIN_MS,
      retry: { initialRetryTime: 100, retries: 3 },
    }).admin();
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }
}
