import { backoffMs, sleep } from '../retry.js';
import { BrokerConnection } from './broker-connection.js';
import { CLIENT_RETRY } from './client.js';
import type { BrokerAddress } from './cluster.js';
import { Leaders } from './leaders.js';
import type { KnownLeaders } from './leaders.js';
import { partitionKey } from './partitions.js';
import type { KafkaOptions, OutgoingMessage } from './ports.js';
import { ProducerError, SEQUENCE_SEEN_BEFORE, isRetriable, refusal } from './producer-errors.js';
import {
  decodeInitProducerId,
  decodeProduce,
  encodeInitProducerId,
  encodeProduce,
} from './producer-requests.js';
import type { PartitionBatch, ProducerIdentity } from './producer-requests.js';

/** How long the broker may wait for its replicas. */
const BROKER_TIMEOUT_MS = 6_000;
const BACKOFF = { minMs: CLIENT_RETRY.initialRetryTime, maxMs: CLIENT_RETRY.maxRetryTime };
/** Sequence numbers begin again at 0 after the largest 32-bit number. */
const SEQUENCES = 2 ** 31;

/** What is still to be acknowledged of one `send`. It keeps its sequence number through all attempts. */
interface Sending extends PartitionBatch {
  isAcknowledged: boolean;
  /** An attempt whose end is not known may have written it. */
  wasSent: boolean;
}

/**
 * An idempotent producer: one id, a connection to each leader, a sequence number for each partition.
 * One `send` at a time. What passes by itself (a lost connection, a leader that moved) it tries again
 * a few times, with the same sequence numbers: the broker writes a batch once however often it comes.
 * After a `send` that rejected it must not be used again, because whether its sequence numbers were
 * used up is not known.
 */
export class IdempotentProducer {
  private readonly options: KafkaOptions;
  private readonly leaders: Leaders;
  private readonly connections = new Map<string, BrokerConnection>();
  private readonly nextSequences = new Map<string, number>();
  private readonly closing = new AbortController();
  private identity: Promise<ProducerIdentity> | undefined;

  constructor(options: KafkaOptions) {
    this.options = options;
    this.leaders = new Leaders(options);
  }

  /** Gets what the first `send` will need. What fails, that `send` meets. */
  async warmUp(): Promise<void> {
    try {
      const [broker] = (await this.leaders.learn([])).brokers;
      if (broker) await this.identify(broker);
    } catch {
      // Nobody waits for it.
    }
  }

  /**
   * Resolves when all in-sync replicas have every message.
   * @throws what the last attempt met; each message may have been written or not
   */
  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    const sendings = this.intoBatches(messages);
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.attempt(sendings.filter((one) => !one.isAcknowledged));
        return;
      } catch (error) {
        const isLast = attempt >= CLIENT_RETRY.retries || this.closing.signal.aborted;
        if (isLast || !isRetriable(error)) throw error;
        this.leaders.forget();
        await sleep(backoffMs(attempt, BACKOFF), this.closing.signal);
      }
    }
  }

  /** At once: what is under way rejects. */
  close(): void {
    this.closing.abort();
    this.leaders.close();
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }

  private intoBatches(messages: readonly OutgoingMessage[]): Sending[] {
    const byPartition = new Map<string, Sending & { readonly values: string[] }>();
    for (const { topic, partition, value } of messages) {
      const key = partitionKey(topic, partition);
      const sending = byPartition.get(key);
      if (sending) sending.values.push(value);
      else {
        const firstSequence = this.nextSequences.get(key) ?? 0;
        const state = { isAcknowledged: false, wasSent: false };
        byPartition.set(key, { topic, partition, values: [value], firstSequence, ...state });
      }
    }
    for (const [key, { firstSequence, values }] of byPartition) {
      this.nextSequences.set(key, (firstSequence + values.length) % SEQUENCES);
    }
    return [...byPartition.values()];
  }

  private async attempt(sendings: readonly Sending[]): Promise<void> {
    const leaders = await this.leaders.learn(new Set(sendings.map(({ topic }) => topic)));
    const byLeader = groupByLeader(sendings, leaders);
    const results = await Promise.allSettled(
      [...byLeader].map(([leader, ofLeader]) => this.produce(leader, ofLeader)),
    );
    const errors = results
      .filter((one) => one.status === 'rejected')
      .map(({ reason }): unknown => reason);
    // One that does not pass outweighs those that do.
    if (errors.length > 0) throw errors.find((error) => !isRetriable(error)) ?? errors[0];
  }

  private async produce(leader: BrokerAddress, batches: readonly Sending[]): Promise<void> {
    const identity = await this.identify(leader);
    const nowMs = Date.now();
    const timeoutMs = BROKER_TIMEOUT_MS;
    const wereSent = batches.map(({ wasSent }) => wasSent);
    for (const batch of batches) batch.wasSent = true;
    const body = await this.connectionTo(leader).request((head) =>
      encodeProduce(head, { identity, batches, timeoutMs, nowMs }),
    );
    const errorCodes = new Map(
      decodeProduce(body).map((one) => [partitionKey(one.topic, one.partition), one.errorCode]),
    );
    const failures: ProducerError[] = [];
    batches.forEach((batch, index) => {
      const code = errorCodes.get(partitionKey(batch.topic, batch.partition));
      const isRepeat = code === SEQUENCE_SEEN_BEFORE && wereSent[index] === true;
      if (code === 0 || isRepeat) batch.isAcknowledged = true;
      else failures.push(failureOf(batch, code));
    });
    const worst = failures.find((error) => !error.isRetriable) ?? failures[0];
    if (worst !== undefined) throw worst;
  }

  private identify(broker: BrokerAddress): Promise<ProducerIdentity> {
    if (this.identity === undefined) {
      const asked = this.askIdentity(broker);
      asked.catch(() => {
        this.identity = undefined;
      });
      this.identity = asked;
    }
    return this.identity;
  }

  private async askIdentity(broker: BrokerAddress): Promise<ProducerIdentity> {
    const body = await this.connectionTo(broker).request(encodeInitProducerId);
    const { errorCode, id, epoch } = decodeInitProducerId(body);
    if (errorCode !== 0) throw refusal('asking for a producer id', errorCode);
    return { id, epoch };
  }

  private connectionTo(broker: BrokerAddress): BrokerConnection {
    this.closing.signal.throwIfAborted();
    const key = `${broker.host}:${broker.port}`;
    const open = this.connections.get(key);
    if (open?.isOpen === true) return open;
    const connection = new BrokerConnection(broker, this.options);
    this.connections.set(key, connection);
    return connection;
  }
}

/**
 * All or nothing: a message for a partition that nobody leads must not be left behind by those that
 * follow it.
 */
function groupByLeader(
  sendings: readonly Sending[],
  leaders: KnownLeaders,
): Map<BrokerAddress, Sending[]> {
  const byLeader = new Map<BrokerAddress, Sending[]>();
  for (const sending of sendings) {
    const leader = leaders.of(sending.topic, sending.partition);
    if (leader === undefined) {
      const place = `partition ${sending.partition} of ${sending.topic}`;
      throw new ProducerError(`nobody leads ${place}`, { isRetriable: true });
    }
    const ofLeader = byLeader.get(leader);
    if (ofLeader) ofLeader.push(sending);
    else byLeader.set(leader, [sending]);
  }
  return byLeader;
}

/** An answer that leaves a batch out acknowledges nothing. */
function failureOf(batch: PartitionBatch, errorCode: number | undefined): ProducerError {
  const place = `partition ${batch.partition} of ${batch.topic}`;
  if (errorCode !== undefined) return refusal(`writing to ${place}`, errorCode);
  return new ProducerError(`no acknowledgement for ${place}`, { isRetriable: false });
}
