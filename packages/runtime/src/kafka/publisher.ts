import type { Message, Producer, RecordMetadata, TopicMessages } from 'kafkajs';
import { withDeadline } from '../retry.js';
import { CLIENT_RETRY, createClient } from './client.js';
import type { KafkaOptions, MessagePublisher, OutgoingMessage } from './ports.js';
import { splitIntoRounds } from './rounds.js';

/** All in-sync replicas have it. */
const ACKS_ALL = -1;
/** How long the broker may wait for its replicas. */
const BROKER_TIMEOUT_MS = 6_000;
/** Beyond this a producer counts as wedged: it is thrown away, whatever it may still be doing. */
const PUBLISH_DEADLINE_MS = 8_000;
const CLOSE_DEADLINE_MS = 5000;

/**
 * Connects in the background: a broker that is away makes `publish` reject, not the start of the
 * process.
 */
export async function createPublisher(options: KafkaOptions): Promise<MessagePublisher> {
  const publisher = new ReplacingPublisher(options);
  publisher.warmUp();
  return Promise.resolve(publisher);
}

/** One producer: its connection, and what it is still sending. */
class ProducerLife {
  readonly ready: Promise<Producer>;
  private readonly producer: Producer;

  constructor(options: KafkaOptions) {
    this.producer = createClient(options).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => partitionOfMessage,
      retry: CLIENT_RETRY,
    });
    this.ready = this.producer.connect().then(() => this.producer);
    // Whoever publishes sees the rejection; without a publish it is nobody's.
    this.ready.catch(() => undefined);
  }

  async send(topicMessages: TopicMessages[]): Promise<RecordMetadata[]> {
    const producer = await this.ready;
    const sending = producer.sendBatch({
      topicMessages,
      acks: ACKS_ALL,
      timeout: BROKER_TIMEOUT_MS,
    });
    return withDeadline(sending, PUBLISH_DEADLINE_MS, 'publishing').catch((error: unknown) => {
      // A send that is given up goes on retrying and may connect again: close behind it.
      sending.then(() => this.close()).catch(() => this.close());
      throw error;
    });
  }

  async close(): Promise<void> {
    await this.ready.catch(() => undefined);
    await this.producer.disconnect().catch(() => undefined);
  }
}

/**
 * Publishes through one idempotent producer until a publish fails. Then that producer is thrown
 * away, whatever the error: after a time-out it may be wedged, after a refused sequence number or
 * epoch it can never write again, and telling these from harmless errors is not worth being wrong
 * once. The next publish makes a new one. Idempotence thus spares duplicates within a producer's
 * life; across lives readers recognise them by their ids.
 */
class ReplacingPublisher implements MessagePublisher {
  private readonly options: KafkaOptions;
  private life: ProducerLife | undefined;
  private isClosed = false;
  private hasFailed = false;

  constructor(options: KafkaOptions) {
    this.options = options;
  }

  warmUp(): void {
    this.currentLife();
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    for (const round of splitIntoRounds(messages)) {
      await this.publishRound(round);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const life = this.life;
    this.life = undefined;
    if (life !== undefined) {
      await withDeadline(life.close(), CLOSE_DEADLINE_MS, 'closing').catch(() => undefined);
    }
  }

  private async publishRound(messages: readonly OutgoingMessage[]): Promise<void> {
    const life = this.currentLife();
    try {
      const acknowledged = await withDeadline(
        life.send(groupByTopic(messages)),
        PUBLISH_DEADLINE_MS,
        'publishing',
      );
      assertAllAcknowledged(messages, acknowledged);
      this.reportSuccess();
    } catch (error) {
      this.discard(life, error);
      throw new Error(`${messages.length} message(s) were not acknowledged`, { cause: error });
    }
  }

  private currentLife(): ProducerLife {
    if (this.isClosed) {
      throw new Error('the publisher is closed');
    }
    this.life ??= new ProducerLife(this.options);
    return this.life;
  }

  /** The first failure of an outage is logged; the caller, who tries again, logs none. */
  private discard(life: ProducerLife, error: unknown): void {
    if (this.life === life) {
      this.life = undefined;
    }
    if (!this.hasFailed && !this.isClosed) {
      this.hasFailed = true;
      this.options.log.warn('publishing to kafka failed, the producer is replaced', { error });
    }
    void life.close();
  }

  private reportSuccess(): void {
    if (this.hasFailed) {
      this.hasFailed = false;
      this.options.log.info('publishing to kafka works again');
    }
  }
}

function partitionOfMessage({ message }: { message: Message }): number {
  if (message.partition === undefined) {
    throw new TypeError('every message names its partition');
  }
  return message.partition;
}

function groupByTopic(messages: readonly OutgoingMessage[]): TopicMessages[] {
  const byTopic = new Map<string, Message[]>();
  for (const { topic, partition, value } of messages) {
    const group = byTopic.get(topic) ?? [];
    group.push({ partition, value });
    byTopic.set(topic, group);
  }
  return [...byTopic].map(([topic, group]) => ({ topic, messages: group }));
}

/**
 * The library leaves out messages for partitions that it does not know and still reports success:
 * believing it would delete outbox rows that nobody ever received.
 */
function assertAllAcknowledged(
  messages: readonly OutgoingMessage[],
  acknowledged: readonly RecordMetadata[],
): void {
  const written = new Set(
    acknowledged
      .filter((entry) => entry.errorCode === 0)
      .map((entry) => `${entry.topicName}/${entry.partition}`),
  );
  const missing = messages.find(({ topic, partition }) => !written.has(`${topic}/${partition}`));
  if (missing !== undefined) {
    throw new Error(`no acknowledgement for partition ${missing.partition} of ${missing.topic}`);
  }
}
