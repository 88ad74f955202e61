import { crc32c } from './crc32c.js';
import { WireReader, WireWriter, stringBytes, varintBytes } from './wire.js';

/**
 * The two requests of an idempotent producer, in versions that brokers from 2.1 on understand and
 * that are the last ones before the format of requests became another one. Every request is written
 * once, into one buffer: a page of 12 messages used to be some 150 buffers, copied one into the other.
 */
const PRODUCE = { key: 0, version: 7 };
const INIT_PRODUCER_ID = { key: 22, version: 1 };
/** Without transactions it has no meaning, but the broker checks it. */
const TRANSACTION_TIMEOUT_MS = 60_000;
/** All in-sync replicas have it. */
const ACKS_ALL = -1;
const MAGIC = 2;

/** From the offset of the first record up to the records, with the count of these. */
const BATCH_HEADER_BYTES = 61;
/** Offset and length, which the length of a batch leaves out. */
const BATCH_LENGTH_FROM = 12;
/** Attributes, difference of time, absent key, no headers: one byte each. */
const RECORD_CONSTANT_BYTES = 4;

export interface RequestHead {
  readonly correlationId: number;
  readonly clientId: string;
}

/** What the broker gave the producer, and what tells its messages from those of any other. */
export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

/** Messages for one partition: one record batch, written whole or not at all. */
export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly values: readonly string[];
  /** How many messages the producer had for this partition before. */
  readonly firstSequence: number;
}

export interface ProduceRequest {
  readonly identity: ProducerIdentity;
  readonly batches: readonly PartitionBatch[];
  /** Milliseconds the broker may wait for its replicas. */
  readonly timeoutMs: number;
  readonly nowMs: number;
}

export interface PartitionResult {
  readonly topic: string;
  readonly partition: number;
  /** 0 where the batch was written, else one of Kafka's error codes. */
  readonly errorCode: number;
}

export function encodeInitProducerId(head: RequestHead): Buffer {
  const writer = beginRequest(INIT_PRODUCER_ID, head, 2 + 4);
  writer.int16(-1);
  writer.int32(TRANSACTION_TIMEOUT_MS);
  return writer.buffer;
}

/** @param body the answer after its correlation id */
export function decodeInitProducerId(
  body: Buffer,
): ProducerIdentity & { readonly errorCode: number } {
  const reader = new WireReader(body);
  reader.skip(4);
  return { errorCode: reader.int16(), id: reader.int64(), epoch: reader.int16() };
}

export function encodeProduce(head: RequestHead, request: ProduceRequest): Buffer {
  const topics = sizedByTopic(request.batches);
  let bytes = 2 + 2 + 4 + 4;
  for (const [topic, batches] of topics) {
    bytes += stringBytes(topic) + 4;
    for (const { recordsBytes } of batches) bytes += 4 + 4 + BATCH_HEADER_BYTES + recordsBytes;
  }
  const writer = beginRequest(PRODUCE, head, bytes);
  writer.int16(-1);
  writer.int16(ACKS_ALL);
  writer.int32(request.timeoutMs);
  writer.int32(topics.size);
  for (const [topic, batches] of topics) {
    writer.string(topic);
    writer.int32(batches.length);
    for (const sized of batches) writeBatch(writer, sized, request);
  }
  return writer.buffer;
}

/** @param body the answer after its correlation id */
export function decodeProduce(body: Buffer): PartitionResult[] {
  const reader = new WireReader(body);
  const results: PartitionResult[] = [];
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    const topic = reader.string();
    for (let partitions = reader.int32(); partitions > 0; partitions -= 1) {
      results.push({ topic, partition: reader.int32(), errorCode: reader.int16() });
      // Offset, time of the log, first offset of the log.
      reader.skip(8 + 8 + 8);
    }
  }
  return results;
}

interface SizedRecord {
  readonly value: string;
  readonly valueBytes: number;
  /** After the length that stands before it. */
  readonly bytes: number;
}

interface SizedBatch {
  readonly batch: PartitionBatch;
  readonly records: readonly SizedRecord[];
  readonly recordsBytes: number;
}

function sizedByTopic(batches: readonly PartitionBatch[]): Map<string, SizedBatch[]> {
  const topics = new Map<string, SizedBatch[]>();
  for (const batch of batches) {
    const records = batch.values.map(sized);
    const recordsBytes = records.reduce((sum, { bytes }) => sum + varintBytes(bytes) + bytes, 0);
    const ofTopic = topics.get(batch.topic);
    if (ofTopic) ofTopic.push({ batch, records, recordsBytes });
    else topics.set(batch.topic, [{ batch, records, recordsBytes }]);
  }
  return topics;
}

function sized(value: string, offset: number): SizedRecord {
  const valueBytes = Buffer.byteLength(value);
  const bytes = RECORD_CONSTANT_BYTES + varintBytes(offset) + varintBytes(valueBytes) + valueBytes;
  return { value, valueBytes, bytes };
}

function writeBatch(writer: WireWriter, sizedBatch: SizedBatch, request: ProduceRequest): void {
  const { batch, records, recordsBytes } = sizedBatch;
  const { identity, nowMs } = request;
  const time = BigInt(nowMs);
  writer.int32(batch.partition);
  writer.int32(BATCH_HEADER_BYTES + recordsBytes);
  writer.int64(0n);
  writer.int32(BATCH_HEADER_BYTES - BATCH_LENGTH_FROM + recordsBytes);
  // The epoch of the leader, which the broker fills in.
  writer.int32(0);
  writer.int8(MAGIC);
  const checksumAt = writer.position;
  writer.skip(4);
  writer.int16(0);
  writer.int32(records.length - 1);
  writer.int64(time);
  writer.int64(time);
  writer.int64(identity.id);
  writer.int16(identity.epoch);
  writer.int32(batch.firstSequence);
  writer.int32(records.length);
  records.forEach((record, offset) => {
    writeRecord(writer, record, offset);
  });
  const { buffer, position } = writer;
  buffer.writeUInt32BE(crc32c(buffer, checksumAt + 4, position), checksumAt);
}

function writeRecord(writer: WireWriter, record: SizedRecord, offset: number): void {
  writer.varint(record.bytes);
  writer.int8(0);
  writer.varint(0);
  writer.varint(offset);
  writer.varint(-1);
  writer.varint(record.valueBytes);
  writer.text(record.value);
  writer.varint(0);
}

export function beginRequest(
  api: { readonly key: number; readonly version: number },
  { correlationId, clientId }: RequestHead,
  bodyBytes: number,
): WireWriter {
  const bytes = 2 + 2 + 4 + stringBytes(clientId) + bodyBytes;
  const writer = new WireWriter(4 + bytes);
  writer.int32(bytes);
  writer.int16(api.key);
  writer.int16(api.version);
  writer.int32(correlationId);
  writer.string(clientId);
  return writer;
}
