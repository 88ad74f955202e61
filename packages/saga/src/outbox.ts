import { encodeMessage } from '@surety/contracts';
import type { Envelope, Topic } from '@surety/contracts';
import { partitionOfSlot } from '@surety/domain';
import type { ShardId, TransferEventType } from '@surety/domain';
import type { Loaded, OutboxRow } from './ports.js';

/**
 * Bound of one message in UTF-16 units. Each takes at most three bytes of UTF-8, so a message stays
 * below 256 KB and far below the broker's default limit of 1 MB.
 */
const MESSAGE_UNITS_MAX = 80_000;

/** Whom an event is for. The projector and other listeners read every topic. */
export function topicOf(type: TransferEventType): Topic {
  switch (type) {
    case 'requested':
    case 'credited':
    case 'refused':
    case 'voided':
      return 'toSource';
    case 'held':
      return 'toDestination';
    case 'committed':
    case 'rejected':
    case 'cancelled':
      return 'ended';
    default:
      return type satisfies never;
  }
}

/**
 * Gathers the events of one transaction into one message per topic and shard that they are for. It
 * goes to the partition of its first event: all partitions of a shard are read by whoever routes
 * each event by its slot, and a message for each would cost every hop as much again.
 */
export class OutboxComposer {
  readonly #shardOf: (slot: number) => ShardId;
  readonly #partitions: number;
  /** In the order of their first events. */
  readonly #messages: Message[] = [];
  readonly #byAddress = new Map<Topic, Map<ShardId, Message>>();
  readonly #full: OutboxRow[] = [];

  /** Events of two shards never share a message: one that is away would hold both up. */
  constructor({ shardOf, partitions }: Pick<Loaded, 'shardOf' | 'partitions'>) {
    this.#shardOf = shardOf;
    this.#partitions = partitions;
  }

  /**
   * @param encoded the envelope's bytes as stored in transfer_events: what travels is the same.
   * @param topic where it differs from the event's own addressee.
   */
  add(envelope: Envelope, encoded: string, topic: Topic = topicOf(envelope.type)): void {
    const slot = topic === 'toDestination' ? envelope.destinationSlot : envelope.sourceSlot;
    const message = this.#messageTo(topic, this.#shardOf(slot));
    const units = encoded.length + 1;
    if (message.events.length > 0 && message.units + units > MESSAGE_UNITS_MAX) {
      this.#full.push(toRow(message));
      message.events = [];
    }
    if (message.events.length === 0) {
      message.partition = partitionOfSlot(slot, this.#partitions);
      message.units = 1;
    }
    message.events.push(encoded);
    message.units += units;
  }

  finish(): OutboxRow[] {
    return [...this.#full, ...this.#messages.map(toRow)];
  }

  #messageTo(topic: Topic, shard: ShardId): Message {
    const ofTopic = this.#byAddress.get(topic) ?? new Map<ShardId, Message>();
    const known = ofTopic.get(shard);
    if (known) return known;
    const message: Message = { topic, partition: 0, events: [], units: 0 };
    this.#messages.push(message);
    this.#byAddress.set(topic, ofTopic.set(shard, message));
    return message;
  }
}

/** The message that an address is getting. */
interface Message {
  readonly topic: Topic;
  partition: number;
  events: string[];
  /** Of its text, with its brackets and commas. */
  units: number;
}

function toRow(message: Message): OutboxRow {
  return {
    topic: message.topic,
    partition: message.partition,
    payload: encodeMessage(message.events),
  };
}
