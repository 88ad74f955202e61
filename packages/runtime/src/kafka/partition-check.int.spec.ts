import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { until } from '@surety/testing';
import { recordedLog } from '@surety/testing/recorded-log';
import { testBrokers } from '@surety/testing/servers';
import { freePort } from '@surety/testing/system';
import { ConfigurationError } from '../configuration-error.js';
import { checkPartitions, countPartitions } from './partition-check.js';
import type { PartitionCheck } from './partition-check.js';
import { createTopics } from './topics.js';

const brokers = testBrokers();
const HASTY = { patienceMs: 300, againMs: 50, laterMs: 50 };

const opened: PartitionCheck[] = [];
const { log, lines } = recordedLog('debug');

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.stop()));
  lines.splice(0);
});

const newName = (): string => `partitions-spec-${randomUUID()}`;

async function topicOf(partitions: number): Promise<string> {
  const topic = newName();
  await createTopics({ brokers, topics: [topic], partitions });
  return topic;
}

async function checked(
  topics: readonly string[],
  partitions: number,
  at: readonly string[] = brokers,
  pace = HASTY,
): Promise<PartitionCheck> {
  const check = await checkPartitions({ brokers: at, topics, partitions, log, pace });
  opened.push(check);
  return check;
}

const levels = (): string[] => lines.map(({ level }) => level);

test('the partitions of topics are counted, those that are not there are left out', async () => {
  const [three, one, none] = [await topicOf(3), await topicOf(1), newName()];
  const counts = await countPartitions({ brokers, topics: [three, one, none] });
  expect(new Map(counts)).toEqual(
    new Map([
      [three, 3],
      [one, 1],
    ]),
  );
});

describe('a start', () => {
  test('goes on in silence with as many as are set', async () => {
    const { check } = await checked([await topicOf(4)], 4);
    await expect(check()).resolves.toBeUndefined();
    expect(lines).toEqual([]);
  });

  test('goes on with a warning where a topic has more', async () => {
    const { check } = await checked([await topicOf(4), await topicOf(5)], 4);
    await expect(check()).resolves.toBeUndefined();
    expect(levels()).toEqual(['warn']);
  });

  test('is refused where topics have fewer, each named with what to do', async () => {
    const [short, enough, shorter] = [await topicOf(3), await topicOf(4), await topicOf(1)];
    const refused = await checked([short, enough, shorter], 4).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigurationError);
    expect((refused as ConfigurationError).mistakes).toEqual(
      [
        [short, 3],
        [shorter, 1],
      ].map(
        ([topic, found]) =>
          `SURETY_PARTITIONS: topic ${topic} has ${found} partitions, expected 4: ` +
          `add partitions to the topic, or set SURETY_PARTITIONS to ${found} everywhere`,
      ),
    );
  });

  test('is refused by a short topic though another one is not there yet', async () => {
    await expect(checked([newName(), await topicOf(3)], 4)).rejects.toThrow('has 3 partitions');
  });

  test('waits a moment for partitions that are being added', async () => {
    const topic = await topicOf(3);
    // Longer than a busy broker takes.
    const starting = checked([topic], 4, brokers, { ...HASTY, patienceMs: 30_000 });
    await createTopics({ brokers, topics: [topic], partitions: 4 });
    const { check } = await starting;
    await expect(check()).resolves.toBeUndefined();
  });

  test('goes on where Kafka is away, with a warning', async () => {
    const { check } = await checked([newName()], 4, [`127.0.0.1:${await freePort()}`]);
    await expect(check()).resolves.toBeUndefined();
    expect(levels().filter((level) => level !== 'debug')).toEqual(['warn']);
  });
});

test('a topic that comes too short later makes the check fail until it has enough', async () => {
  const topic = newName();
  const { check } = await checked([topic], 4);
  await expect(check()).resolves.toBeUndefined();
  await createTopics({ brokers, topics: [topic], partitions: 3 });
  const fails = async (): Promise<boolean> => {
    const error: unknown = await check().catch((caught: unknown) => caught);
    return error instanceof ConfigurationError;
  };
  await until(fails, 'the check fails');
  expect(levels().filter((level) => level === 'error')).toHaveLength(1);
  await createTopics({ brokers, topics: [topic], partitions: 4 });
  await until(async () => !(await fails()), 'the check is well again');
  expect(levels().filter((level) => level === 'error')).toHaveLength(1);
});
