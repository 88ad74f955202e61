import { REAL_CLOCK } from '../clock.js';
import { withDeadline } from '../retry.js';
import { BrokerConnection } from './broker-connection.js';
import { addressOf } from './cluster.js';
import type { BrokerAddress, KafkaCluster } from './cluster.js';
import { decodeMetadata, encodeMetadata } from './metadata-request.js';
import type { ClusterMetadata } from './metadata-request.js';
import { partitionKey } from './partitions.js';
import { ProducerError } from './producer-errors.js';

/**
 * How long one broker may take to connect and to answer. Short enough that, of three brokers, the
 * third is still asked before a publish is given up: one that is frozen accepts connections too.
 */
const ANSWER_TIMEOUT_MS = 2_000;

export interface LeadersOptions extends KafkaCluster {
  readonly clientId: string;
  /** Milliseconds that one broker may take to connect and to answer; default 2,000. */
  readonly answerTimeoutMs?: number;
}

/** What the cluster said of itself. */
export interface KnownLeaders {
  readonly brokers: readonly BrokerAddress[];
  /** By topic; without topics that are not there. */
  readonly partitionCounts: ReadonlyMap<string, number>;
  /** Undefined where there is no such partition, or nobody leads it at the moment. */
  of(topic: string, partition: number): BrokerAddress | undefined;
}

/**
 * Who leads which partition, as last heard. It asks one broker after the other until one answers,
 * over a connection that does not stay open: at the start, for a topic that is new, and after
 * `forget`. It asks for the topics of the producer alone, because the answer about all topics of a
 * cluster has always something that is wrong with one of them.
 */
export class Leaders {
  private readonly options: LeadersOptions;
  private readonly brokers: readonly BrokerAddress[];
  private readonly topics = new Set<string>();
  private readonly asking = new Set<BrokerConnection>();
  private nextAsked: number;
  private known: Promise<KnownLeaders> | undefined;
  private isClosed = false;

  constructor(options: LeadersOptions) {
    this.options = options;
    this.brokers = options.brokers.map(addressOf);
    this.nextAsked = Math.floor(REAL_CLOCK.random() * this.brokers.length);
  }

  /**
   * Of all topics that were ever asked for.
   * @throws ProducerError, retriable, when no broker gave an answer; not retriable after `close`
   */
  learn(topics: Iterable<string>): Promise<KnownLeaders> {
    for (const topic of topics) {
      if (!this.topics.has(topic)) {
        this.topics.add(topic);
        this.forget();
      }
    }
    if (this.known === undefined) {
      const asked = this.ask();
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

  /** At once: what is under way rejects. */
  close(): void {
    this.isClosed = true;
    for (const connection of this.asking) connection.close();
  }

  private async ask(): Promise<KnownLeaders> {
    const topics = [...this.topics];
    let cause: unknown;
    for (let asked = 0; asked < this.brokers.length && !this.isClosed; asked += 1) {
      try {
        return knownLeaders(await this.askOne(topics));
      } catch (error) {
        cause = error;
      }
    }
    if (this.isClosed) throw new ProducerError('the producer is closed', { isRetriable: false });
    throw new ProducerError('no broker told who leads', { isRetriable: true, cause });
  }

  /** Another one each time: what the last one said may be what has to be asked again. */
  private async askOne(topics: readonly string[]): Promise<ClusterMetadata> {
    const address = this.brokers[this.nextAsked];
    if (address === undefined) throw new Error('there is no broker to ask');
    this.nextAsked = (this.nextAsked + 1) % this.brokers.length;
    const timeoutMs = this.options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
    const connection = new BrokerConnection(address, this.options);
    this.asking.add(connection);
    try {
      const answer = connection.request((head) => encodeMetadata(head, topics));
      return decodeMetadata(await withDeadline(answer, timeoutMs, 'asking who leads'));
    } finally {
      this.asking.delete(connection);
      connection.close();
    }
  }
}

function knownLeaders({ brokers, partitions }: ClusterMetadata): KnownLeaders {
  const byNode = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
  const byPartition = new Map<string, BrokerAddress>();
  const partitionCounts = new Map<string, number>();
  for (const { topic, partition, leader } of partitions) {
    partitionCounts.set(topic, (partitionCounts.get(topic) ?? 0) + 1);
    const address = byNode.get(leader);
    if (address) byPartition.set(partitionKey(topic, partition), address);
  }
  return {
    brokers: [...byNode.values()],
    partitionCounts,
    of: (topic, partition) => byPartition.get(partitionKey(topic, partition)),
  };
}
