import { describe, expect, test } from '@jest/globals';
import { crc32c } from './crc32c.js';
import {
  decodeInitProducerId,
  decodeProduce,
  encodeInitProducerId,
  encodeProduce,
} from './producer-requests.js';
import type { PartitionBatch } from './producer-requests.js';
import { WireReader, WireWriter, varintBytes } from './wire.js';

const head = { correlationId: 77, clientId: 'spec' };
const identity = { id: 2n ** 40n, epoch: 3 };

function encode(batches: readonly PartitionBatch[]): Buffer {
  return encodeProduce(head, { identity, batches, timeoutMs: 6_000, nowMs: 1_700_000_000_000 });
}

function varint(bytes: Buffer, at: { position: number }): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes.readUInt8(at.position);
    at.position += 1;
    value |= (byte & 127) << shift;
    if (byte < 128) return (value >>> 1) ^ -(value & 1);
  }
}

function readRecords(bytes: Buffer, count: number): (string | undefined)[] {
  const at = { position: 0 };
  const values = Array.from({ length: count }, (_, offset) => {
    const end = varint(bytes, at) + at.position;
    expect(bytes.readUInt8(at.position)).toBe(0);
    at.position += 1;
    expect([varint(bytes, at), varint(bytes, at), varint(bytes, at)]).toEqual([0, offset, -1]);
    const valueEnd = varint(bytes, at) + at.position;
    const value = bytes.toString('utf8', at.position, valueEnd);
    at.position = valueEnd;
    expect(varint(bytes, at)).toBe(0);
    expect(at.position).toBe(end);
    return value;
  });
  expect(at.position).toBe(bytes.length);
  return values;
}

/** Reads one record batch, checks all that does not depend on the messages. */
function readBatch(bytes: Buffer): { firstSequence: number; values: (string | undefined)[] } {
  const reader = new WireReader(bytes);
  expect(reader.int64()).toBe(0n);
  expect(reader.int32()).toBe(bytes.length - 12);
  reader.skip(4);
  expect(bytes.readInt8(16)).toBe(2);
  expect(bytes.readUInt32BE(17)).toBe(crc32c(bytes, 21));
  reader.skip(5);
  expect(reader.int16()).toBe(0);
  const lastOffset = reader.int32();
  expect([reader.int64(), reader.int64()]).toEqual([1_700_000_000_000n, 1_700_000_000_000n]);
  expect([reader.int64(), reader.int16()]).toEqual([identity.id, identity.epoch]);
  const firstSequence = reader.int32();
  const count = reader.int32();
  expect(lastOffset).toBe(count - 1);
  return { firstSequence, values: readRecords(bytes.subarray(61), count) };
}

function readProduce(bytes: Buffer) {
  const reader = new WireReader(bytes);
  expect(reader.int32()).toBe(bytes.length - 4);
  expect([reader.int16(), reader.int16(), reader.int32(), reader.string()]).toEqual([
    ...[0, 7, head.correlationId, head.clientId],
  ]);
  expect([reader.int16(), reader.int16(), reader.int32()]).toEqual([-1, -1, 6_000]);
  let at = 4 + 8 + 6 + 8;
  return Array.from({ length: reader.int32() }, () => {
    const topic = reader.string();
    at += 2 + Buffer.byteLength(topic) + 4 + (at === 26 ? 4 : 0);
    const partitions = Array.from({ length: reader.int32() }, () => {
      const partition = reader.int32();
      const size = reader.int32();
      at += 8;
      const batch = readBatch(bytes.subarray(at, at + size));
      reader.skip(size);
      at += size;
      return { partition, ...batch };
    });
    return { topic, partitions };
  });
}

describe('a produce request', () => {
  test('has every batch under its topic, whole, with its checksum and its sequence number', () => {
    const long = 'x'.repeat(70_000);
    const many = Array.from({ length: 200 }, (_, at) => `message ${at}`);
    const bytes = encode([
      { topic: 'first', partition: 3, values: ['a', '', 'ÿ… 🙂'], firstSequence: 0 },
      { topic: 'sécond', partition: 0, values: [long], firstSequence: 2 ** 31 - 1 },
      { topic: 'first', partition: 15, values: many, firstSequence: 12 },
    ]);
    expect(readProduce(bytes)).toEqual([
      {
        topic: 'first',
        partitions: [
          { partition: 3, firstSequence: 0, values: ['a', '', 'ÿ… 🙂'] },
          { partition: 15, firstSequence: 12, values: many },
        ],
      },
      {
        topic: 'sécond',
        partitions: [{ partition: 0, firstSequence: 2 ** 31 - 1, values: [long] }],
      },
    ]);
  });

  test.each([63, 64, 127, 128, 8_191, 8_192, 1_048_575, 1_048_576])(
    'is as long as it says with a value of %i bytes',
    (bytes) => {
      const value = 'v'.repeat(bytes);
      const batch = { topic: 't', partition: 0, values: [value, value], firstSequence: 0 };
      expect(readProduce(encode([batch]))[0]?.partitions[0]?.values).toEqual([value, value]);
    },
  );
});

test.each([0, 1, 63, 64, 8_191, 8_192, 1_048_575, 1_048_576, 2 ** 27 - 1])(
  'the length of the varint %i is known before it is written',
  (value) => {
    const writer = new WireWriter(5);
    writer.varint(value);
    expect(writer.position).toBe(varintBytes(value));
    expect(varint(writer.buffer, { position: 0 })).toBe(value);
  },
);

test('the results of all partitions are read', () => {
  const result = (partition: number, code: number): Buffer => {
    const bytes = Buffer.alloc(30);
    bytes.writeInt32BE(partition, 0);
    bytes.writeInt16BE(code, 4);
    return bytes;
  };
  const int32 = (value: number): Buffer => Buffer.from([0, 0, 0, value]);
  const name = (topic: string): Buffer => Buffer.concat([Buffer.from([0, 1]), Buffer.from(topic)]);
  const body = Buffer.concat([
    int32(2),
    ...[name('a'), int32(2), result(0, 0), result(7, 6)],
    ...[name('b'), int32(1), result(1, 45)],
    int32(0),
  ]);
  expect(decodeProduce(body)).toEqual([
    { topic: 'a', partition: 0, errorCode: 0 },
    { topic: 'a', partition: 7, errorCode: 6 },
    { topic: 'b', partition: 1, errorCode: 45 },
  ]);
  expect(() => decodeProduce(body.subarray(0, 20))).toThrow('out of range');
  // Only the end of the last result is missing.
  expect(() => decodeProduce(body.subarray(0, -5))).toThrow('out of range');
});

test('a name of less than no bytes is refused, not read for ever', () => {
  const body = Buffer.concat([Buffer.from([127, 255, 255, 255]), Buffer.from([255, 250])]);
  expect(() => decodeProduce(Buffer.concat([body, Buffer.alloc(20)]))).toThrow('out of range');
});

test('a producer id is asked for outside of transactions', () => {
  const reader = new WireReader(encodeInitProducerId(head));
  expect([reader.int32(), reader.int16(), reader.int16(), reader.int32()]).toEqual([
    ...[20, 22, 1, head.correlationId],
  ]);
  expect([reader.string(), reader.int16(), reader.int32()]).toEqual(['spec', -1, 60_000]);
  const body = Buffer.alloc(16);
  body.writeBigInt64BE(2n ** 40n, 6);
  body.writeInt16BE(3, 14);
  expect(decodeInitProducerId(body)).toEqual({ errorCode: 0, ...identity });
});
