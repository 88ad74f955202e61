import type { OutgoingMessage } from './ports.js';

/**
 * The broker's default bound on a record batch (message.max.bytes) is 1 MiB, and all messages of a
 * request for one partition travel as one record batch: without this bound a backlog of permitted
 * messages would be refused for ever.
 */
const PARTITION_BYTES_MAX = 900 * 1024;
/** Bounds the memory of one request. */
const ROUND_BYTES_MAX = 8 * 1024 * 1024;
/** Offset, time and lengths that each record adds, rounded up. */
const RECORD_OVERHEAD_BYTES = 64;

/** Splits messages, in their order, into rounds of which each is one request per broker. */
export function splitIntoRounds(
  messages: readonly OutgoingMessage[],
): (readonly OutgoingMessage[])[] {
  const bytesInAll = messages.reduce((sum, message) => sum + sizeOf(message), 0);
  // Nearly always: what fits into one record batch needs no look at its partitions.
  if (bytesInAll <= PARTITION_BYTES_MAX) return messages.length === 0 ? [] : [messages];
  const rounds: OutgoingMessage[][] = [];
  let round: OutgoingMessage[] = [];
  let roundBytes = 0;
  let partitionBytes = new Map<string, number>();
  for (const message of messages) {
    const bytes = sizeOf(message);
    const key = `${message.topic}/${message.partition}`;
    const inPartition = (partitionBytes.get(key) ?? 0) + bytes;
    if (inPartition > PARTITION_BYTES_MAX || roundBytes + bytes > ROUND_BYTES_MAX) {
      rounds.push(round);
      round = [];
      roundBytes = 0;
      partitionBytes = new Map();
    }
    round.push(message);
    roundBytes += bytes;
    partitionBytes.set(key, (partitionBytes.get(key) ?? 0) + bytes);
  }
  rounds.push(round);
  return rounds.filter((one) => one.length > 0);
}

function sizeOf(message: OutgoingMessage): number {
  return Buffer.byteLength(message.value) + RECORD_OVERHEAD_BYTES;
}
