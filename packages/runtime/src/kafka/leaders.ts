import type { ITopicMetadata } from 'kafkajs';
import type { BrokerAddress } from './broker-connection.js';
import { createClient } from './client.js';
import { partitionKey } from './partitions.js';
import type { KafkaOptions } from './ports.js';

/** What the cluster said of itself. */
export interface KnownLeaders {
  readonly brokers: readonly BrokerAddress[];
  /** Undefined where there is no such partition, or nobody leads it at the moment. */
  of(topic: string, partition: number): BrokerAddress | undefined;
}

/**
 * Who leads which partition, as last heard. It asks the library, over a connection of its own that
 * does not stay open: at the start, for a topic that is new, and after `forget`.
 */
export class Leaders {
  private readonly options: KafkaOptions;
  private readonly ended: Promise<never>;
  private readonly topics = new Set<string>();
  private known: Promise<KnownLeaders> | undefined;

  /** @param ended rejects when nobody wants to know any more; the library goes on for a while */
  constructor(options: KafkaOptions, ended: Promise<never>) {
    this.options = options;
    this.ended = ended;
  }

  /**
   * Of all topics that were ever asked for.
   * @throws what the library throws; it has tried several times then
   */
  learn(topics: Iterable<string>): Promise<KnownLeaders> {
    for (const topic of topics) {
      if (!this.topics.has(topic)) {
        this.topics.add(topic);
        this.forget();
      }
    }
    if (this.known === undefined) {
      // Not for each call: what waits for `ended` stays with it to the end.
      const asked = Promise.race([this.ask(), this.ended]);
      asked.catch(() => {
        if (this.known === asked) this.forget();
      });
      this.known = asked;
    }
    return this.known;
  }

  /** What was heard may be wrong: the next `learn` asks again. */
  forget(): void {
    this.known = undefined;
  }

  private async ask(): Promise<KnownLeaders> {
    const topics = [...this.topics];
    const admin = createClient(this.options).admin();
    try {
      await admin.connect();
      const { brokers } = await admin.describeCluster();
      const described = topics.length > 0 ? await admin.fetchTopicMetadata({ topics }) : undefined;
      return knownLeaders(brokers, described?.topics ?? []);
    } finally {
      void admin.disconnect().catch(() => undefined);
    }
  }
}

function knownLeaders(
  brokers: readonly (BrokerAddress & { readonly nodeId: number })[],
  topics: readonly ITopicMetadata[],
): KnownLeaders {
  const byNode = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
  const byPartition = new Map<string, BrokerAddress>();
  for (const { name, partitions } of topics) {
    for (const { partitionId, leader } of partitions) {
      const address = byNode.get(leader);
      if (address) byPartition.set(partitionKey(name, partitionId), address);
    }
  }
  return {
    brokers: [...byNode.values()],
    of: (topic, partition) => byPartition.get(partitionKey(topic, partition)),
  };
}
