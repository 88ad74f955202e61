import { withDeadline } from '../retry.js';
import type { KafkaOptions, MessagePublisher, OutgoingMessage } from './ports.js';
import { IdempotentProducer } from './producer.js';
import { splitIntoRounds } from './rounds.js';

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

/** One round on its way: waiting for its turn, sending through a producer, or given up. */
interface Sending {
  producer: IdempotentProducer | undefined;
  isGivenUp: boolean;
}

/**
 * Publishes through one idempotent producer until a publish fails. Then that producer is thrown
 * away, whatever the error: after a time-out it may be wedged, after a refused sequence number or
 * epoch it can never write again, and telling these from harmless errors is not worth being wrong
 * once. The next publish makes a new one. Idempotence thus spares duplicates within a producer's
 * life; across lives readers recognise them by their ids.
 *
 * Rounds take turns: the broker counts sequence numbers, and one that fails must not be overtaken.
 */
class ReplacingPublisher implements MessagePublisher {
  private readonly options: KafkaOptions;
  private producer: IdempotentProducer | undefined;
  private lastTurn: Promise<void> = Promise.resolve();
  private isClosed = false;
  private hasFailed = false;

  constructor(options: KafkaOptions) {
    this.options = options;
  }

  warmUp(): void {
    void this.currentProducer().warmUp();
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    for (const round of splitIntoRounds(messages)) {
      await this.publishRound(round);
    }
  }

  /** What has its turn may end it. */
  async close(): Promise<void> {
    this.isClosed = true;
    await withDeadline(this.lastTurn, CLOSE_DEADLINE_MS, 'closing').catch(() => undefined);
    this.producer?.close();
    this.producer = undefined;
  }

  private async publishRound(messages: readonly OutgoingMessage[]): Promise<void> {
    this.assertNotClosed();
    const sending: Sending = { producer: undefined, isGivenUp: false };
    const turn = this.lastTurn.then(() => this.takeTurn(messages, sending));
    this.lastTurn = turn.catch(() => undefined);
    try {
      await withDeadline(turn, PUBLISH_DEADLINE_MS, 'publishing');
      this.reportSuccess();
    } catch (error) {
      sending.isGivenUp = true;
      if (sending.producer) this.discard(sending.producer, error);
      throw new Error(`${messages.length} message(s) were not acknowledged`, { cause: error });
    }
  }

  private async takeTurn(messages: readonly OutgoingMessage[], sending: Sending): Promise<void> {
    if (sending.isGivenUp) return;
    const producer = this.currentProducer();
    sending.producer = producer;
    try {
      await producer.send(messages);
    } catch (error) {
      // Here, before the next one takes its turn.
      this.discard(producer, error);
      throw error;
    }
  }

  private currentProducer(): IdempotentProducer {
    this.assertNotClosed();
    this.producer ??= new IdempotentProducer(this.options);
    return this.producer;
  }

  private assertNotClosed(): void {
    if (this.isClosed) throw new Error('the publisher is closed');
  }

  /** The first failure of an outage is logged; the caller, who tries again, logs none. */
  private discard(producer: IdempotentProducer, error: unknown): void {
    if (this.producer !== producer) return;
    this.producer = undefined;
    producer.close();
    if (!this.hasFailed && !this.isClosed) {
      this.hasFailed = true;
      this.options.log.warn('publishing to kafka failed, the producer is replaced', { error });
    }
  }

  private reportSuccess(): void {
    if (this.hasFailed) {
      this.hasFailed = false;
      this.options.log.info('publishing to kafka works again');
    }
  }
}
