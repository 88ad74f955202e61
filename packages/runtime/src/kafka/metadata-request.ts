import { beginRequest } from './producer-requests.js';
import type { RequestHead } from './producer-requests.js';
import { WireReader, stringBytes } from './wire.js';

/** The first version that asks for topics without creating them; brokers from 0.11 on know it. */
const METADATA = { key: 3, version: 4 };

export interface ClusterMetadata {
  readonly brokers: readonly {
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
  }[];
  /** Without the topics that the broker does not know. */
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    /** A node's id; -1 where nobody leads. */
    readonly leader: number;
  }[];
}

/** Asks for the brokers and these topics, of which there may be none. */
export function encodeMetadata(head: RequestHead, topics: readonly string[]): Buffer {
  const bytes = topics.reduce((sum, topic) => sum + stringBytes(topic), 4 + 1);
  const writer = beginRequest(METADATA, head, bytes);
  writer.int32(topics.length);
  for (const topic of topics) writer.string(topic);
  writer.int8(0);
  return writer.buffer;
}

/**
 * What a topic or a partition lacks concerns itself only: whoever writes to others must not be kept
 * from it.
 * @param body the answer after its correlation id
 */
export function decodeMetadata(body: Buffer): ClusterMetadata {
  const reader = new WireReader(body);
  reader.skip(4);
  const brokers = list(reader, readBroker);
  // The cluster's id, and the controller.
  reader.nullableString();
  reader.skip(4);
  return { brokers, partitions: list(reader, readTopic).flat() };
}

function readBroker(reader: WireReader): ClusterMetadata['brokers'][number] {
  const broker = { nodeId: reader.int32(), host: reader.string(), port: reader.int32() };
  // Its rack.
  reader.nullableString();
  return broker;
}

function readTopic(reader: WireReader): ClusterMetadata['partitions'][number][] {
  // The topic's error: one that has any comes without partitions.
  reader.skip(2);
  const topic = reader.string();
  // Whether it is internal.
  reader.skip(1);
  return list(reader, () => {
    // The partition's error: one that has any comes without a leader.
    reader.skip(2);
    const partition = reader.int32();
    const leader = reader.int32();
    // Its replicas, and those that are in sync.
    list(reader, () => reader.int32());
    list(reader, () => reader.int32());
    return { topic, partition, leader };
  });
}

function list<T>(reader: WireReader, readOne: (reader: WireReader) => T): T[] {
  const count = reader.int32();
  if (count < 0) throw new RangeError(`a count of ${count} is out of range`);
  const items: T[] = [];
  for (let at = 0; at < count; at += 1) items.push(readOne(reader));
  return items;
}
