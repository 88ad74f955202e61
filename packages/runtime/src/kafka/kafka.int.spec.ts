import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { until } from '@surety/testing';
import { testBrokers } from '@surety/testing/servers';
import { silentLog } from '../spec-support.js';
import { startConsumer } from './consumer.js';
import type {
  BatchHandler,
  IncomingMessage,
  MessageConsumer,
  MessagePublisher,
  OutgoingMessage,
} from './ports.js';
import { createPublisher } from './publisher.js';
import { sleep } from '../retry.js';
import { createTopics, kafkaHealthCheck } from './topics.js';

const brokers = testBrokers();
const log = silentLog();
const PARTITIONS = 4;

const opened: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.stop()));
});

async function newTopic(): Promise<string> {
  const topic = `runtime-spec-${randomUUID()}`;
  await createTopics({ brokers, topics: [topic], partitions: PARTITIONS });
  return topic;
}

async function newPublisher(): Promise<MessagePublisher> {
  const publisher = await createPublisher({ brokers, clientId: 'runtime-spec', log });
  opened.push({ stop: () => publisher.close() });
  return publisher;
}

interface Group {
  readonly groupId: string;
  readonly topic: string;
  readonly handle: BatchHandler;
  readonly clientId?: string;
  readonly sessionTimeoutsMs?: readonly [number, ...number[]];
}

/** Each under a name of its own, as instances are. */
async function consume({ topic, ...group }: Group): Promise<MessageConsumer> {
  const clientId = `runtime-spec-${randomUUID()}`;
  const consumer = await startConsumer({ brokers, clientId, topics: [topic], log, ...group });
  opened.push(consumer);
  return consumer;
}

function messagesFor(topic: string, partition: number, values: readonly string[]) {
  return values.map((value): OutgoingMessage => ({ topic, partition, value }));
}

function numbered(count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** A handler that takes everything, with what it has seen by partition. */
function recorder(): { seen: IncomingMessage[]; handle: BatchHandler; values(): string[] } {
  const seen: IncomingMessage[] = [];
  return {
    seen,
    values: () => seen.map((message) => message.value),
    handle: ({ messages }) => {
      seen.push(...messages);
      return Promise.resolve({ processed: messages.length });
    },
  };
}

describe('publishing and consuming', () => {
  test('what was published before and after the start arrives in the order of its partition', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    await publisher.publish(messagesFor(topic, 0, ['a', 'b']));
    const reader = recorder();
    const consumer = await consume({ groupId: randomUUID(), topic, handle: reader.handle });
    await publisher.publish([
      ...messagesFor(topic, 0, ['c']),
      ...messagesFor(topic, 3, ['x', 'ÿ…']),
    ]);
    await until(() => reader.seen.length >= 5, 'all five messages arrived');
    const inPartition = (partition: number) =>
      reader.seen.filter((one) => one.partition === partition).map((one) => one.value);
    expect(inPartition(0)).toEqual(['a', 'b', 'c']);
    expect(inPartition(3)).toEqual(['x', 'ÿ…']);
    expect(reader.seen[0]).toMatchObject({ topic, offset: '0' });
    expect(reader.seen[0]?.timestampMs).toBeGreaterThan(1_600_000_000_000);
    expect(consumer.running).toBe(true);
  });

  test('a backlog larger than one record batch is published in full', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    const big = 'x'.repeat(250 * 1024);
    await publisher.publish(messagesFor(topic, 1, [big, big, big, big, big, big, 'last']));
    const reader = recorder();
    await consume({ groupId: randomUUID(), topic, handle: reader.handle });
    await until(() => reader.values().includes('last'), 'the last message arrived');
    expect(reader.seen).toHaveLength(7);
  });

  test('a publish that was not acknowledged in full rejects, and the next one works', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    const unknown = { topic, partition: PARTITIONS + 1, value: 'nowhere' };
    await expect(publisher.publish([...messagesFor(topic, 0, ['a']), unknown])).rejects.toThrow(
      'not acknowledged',
    );
    await expect(
      publisher.publish([{ topic: `missing-${randomUUID()}`, partition: 0, value: 'x' }]),
    ).rejects.toThrow('not acknowledged');
    await publisher.publish(messagesFor(topic, 0, ['b']));
  });

  test('a closed publisher refuses', async () => {
    const publisher = await newPublisher();
    await publisher.close();
    await expect(publisher.publish(messagesFor('t', 0, ['a']))).rejects.toThrow('closed');
  });
});

describe('a batch that is not handled in full', () => {
  test('is delivered again from the first unhandled message on, in order', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    await publisher.publish(messagesFor(topic, 2, numbered(10)));
    const handled: string[] = [];
    const starts: string[] = [];
    await consume({
      groupId: randomUUID(),
      topic,
      handle: ({ messages }) => {
        starts.push(messages[0]?.value ?? '');
        const taken = messages.slice(0, 3);
        handled.push(...taken.map((message) => message.value));
        const isPartial = taken.length < messages.length;
        return Promise.resolve({
          processed: taken.length,
          ...(isPartial ? { retryAfterMs: 50 } : {}),
        });
      },
    });
    await until(() => handled.length >= 10, 'ten messages were handled');
    expect(handled).toEqual(numbered(10));
    expect(starts).toEqual(['0', '3', '6', '9']);
  });

  test('is delivered again when nothing of it was handled or the handler threw', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    await publisher.publish(messagesFor(topic, 0, ['a', 'b']));
    const attempts: string[][] = [];
    await consume({
      groupId: randomUUID(),
      topic,
      handle: ({ messages }) => {
        attempts.push(messages.map((message) => message.value));
        if (attempts.length === 1) return Promise.resolve({ processed: 0, retryAfterMs: 10 });
        if (attempts.length === 2) return Promise.reject(new Error('a bug'));
        return Promise.resolve({ processed: messages.length });
      },
    });
    await until(() => attempts.length >= 3, 'the third attempt came');
    expect(attempts.slice(0, 3)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  test('pauses its partition only', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    const reader = recorder();
    const attemptsOfFailing: number[] = [];
    let isFailing = true;
    await consume({
      groupId: randomUUID(),
      topic,
      handle: (batch, attempt) => {
        if (batch.partition === 0 && isFailing) {
          attemptsOfFailing.push(batch.messages.length);
          return Promise.resolve({ processed: 0, retryAfterMs: 200 });
        }
        return reader.handle(batch, attempt);
      },
    });
    await publisher.publish(messagesFor(topic, 0, numbered(5, 'failing-')));
    for (const round of numbered(5)) {
      await publisher.publish(messagesFor(topic, 1, [`going-${round}`]));
      await until(() => reader.values().includes(`going-${round}`), 'the other partition went on');
    }
    await until(() => attemptsOfFailing.length >= 2, 'the failing partition was tried again');
    isFailing = false;
    await until(() => reader.seen.length >= 10, 'the failing partition caught up');
    const recovered = reader.seen.filter((message) => message.partition === 0);
    expect(recovered.map((message) => message.value)).toEqual(numbered(5, 'failing-'));
  });
});

test('a handler that hangs does not hold up the other partitions, and its batch is not lost', async () => {
  const topic = await newTopic();
  const publisher = await newPublisher();
  const reader = recorder();
  let letGo: () => void = () => undefined;
  const hanging = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await consume({
    groupId: randomUUID(),
    topic,
    handle: async (batch, attempt) => {
      if (batch.partition === 0) {
        await hanging;
      }
      return reader.handle(batch, attempt);
    },
  });
  await publisher.publish(messagesFor(topic, 0, ['first']));
  await publisher.publish(messagesFor(topic, 0, ['second']));
  for (const round of numbered(3)) {
    await publisher.publish(messagesFor(topic, 1, [`going-${round}`]));
    await until(() => reader.values().includes(`going-${round}`), 'the other partition went on');
  }
  expect(reader.seen.some((message) => message.partition === 0)).toBe(false);
  letGo();
  await until(() => reader.values().includes('second'), 'the hanging partition went on');
  const fromHanging = reader.seen.filter((message) => message.partition === 0);
  expect(fromHanging.map((message) => message.value)).toEqual(['first', 'second']);
});

describe('offsets', () => {
  test('are committed at the stop, so that a second consumer gets nothing twice', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    const groupId = randomUUID();
    const first = recorder();
    const consumer = await consume({ groupId, topic, handle: first.handle });
    await publisher.publish(messagesFor(topic, 0, numbered(20)));
    await until(() => first.seen.length >= 20, 'the first consumer has read everything');
    await consumer.stop();
    expect(consumer.running).toBe(false);
    await publisher.publish(messagesFor(topic, 0, ['new']));
    const second = recorder();
    await consume({ groupId, topic, handle: second.handle });
    await until(() => second.seen.length > 0, 'the second consumer reads');
    expect(second.values()).toEqual(['new']);
  });

  test('of messages that a handler had in hand are committed at the stop, those of others are not', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    const groupId = randomUUID();
    let started = 0;
    let letGo: () => void = () => undefined;
    const inHand = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const consumer = await consume({
      groupId,
      topic,
      handle: async ({ partition, messages }) => {
        started += 1;
        await inHand;
        return partition === 0
          ? { processed: messages.length }
          : { processed: 0, retryAfterMs: 60_000 };
      },
    });
    await publisher.publish([
      ...messagesFor(topic, 0, ['done']),
      ...messagesFor(topic, 1, ['undone']),
    ]);
    await until(() => started === 2, 'both handlers run');
    const stopped = consumer.stop();
    letGo();
    await stopped;
    await publisher.publish(messagesFor(topic, 0, ['next']));
    const second = recorder();
    await consume({ groupId, topic, handle: second.handle });
    await until(() => second.seen.length >= 2, 'the second consumer reads');
    expect(second.values().sort()).toEqual(['next', 'undone']);
  });

  test('give the lag, also that of a paused partition', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    const consumer = await consume({
      groupId: randomUUID(),
      topic,
      handle: ({ partition, messages }) =>
        Promise.resolve(
          partition === 0 ? { processed: 1, retryAfterMs: 60_000 } : { processed: messages.length },
        ),
    });
    await publisher.publish([
      ...messagesFor(topic, 0, numbered(5)),
      ...messagesFor(topic, 1, numbered(5)),
    ]);
    await publisher.publish(messagesFor(topic, 0, numbered(5)));
    await until(async () => (await consumer.lag()).get(`${topic}/0`) === 9, 'the lag shows');
    await until(async () => (await consumer.lag()).get(`${topic}/1`) === 0, 'the rest is read');
    expect((await consumer.lag()).size).toBe(PARTITIONS);
  });
});

describe('a rebalance', () => {
  test('loses nothing when a second consumer comes and goes', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    const groupId = randomUUID();
    const readers = [recorder(), recorder()] as const;
    await consume({ groupId, topic, handle: readers[0].handle });
    const send = (prefix: string) =>
      publisher.publish(
        numbered(PARTITIONS).flatMap((_, partition) =>
          messagesFor(topic, partition, numbered(25, `${prefix}-${partition}-`)),
        ),
      );
    const values = () => new Set([...readers[0].values(), ...readers[1].values()]);
    await send('alone');
    const second = await consume({ groupId, topic, handle: readers[1].handle });
    await send('both');
    await until(() => values().size >= 200, 'everything sent to both was read');
    await until(async () => {
      await send('share');
      return readers[1].seen.length > 0;
    }, 'the second consumer has its share');
    await second.stop();
    await send('after');
    const isRead = (prefix: string) =>
      [...values()].filter((value) => value.startsWith(prefix)).length === 100;
    await until(() => isRead('after') && isRead('share'), 'everything was read after the stop');
  });

  test('loses nothing while batches fail in part and hang', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    const group = { groupId: randomUUID(), topic };
    const [sent, handled] = [new Set<string>(), new Set<string>()];
    let calls = 0;
    const handle: BatchHandler = async ({ messages }) => {
      calls += 1;
      const [hangs, fails] = [calls % 5 === 0, calls % 3 === 0];
      if (hangs) await sleep(300);
      const processed = fails ? messages.length >>> 1 : messages.length;
      for (const { value } of messages.slice(0, processed)) handled.add(value);
      return { processed, retryAfterMs: 50 };
    };
    const send = async (round: string) => {
      const messages = numbered(PARTITIONS).flatMap((_, partition) =>
        messagesFor(topic, partition, numbered(5, `${round}-${partition}-`)),
      );
      await publisher.publish(messages);
      for (const { value } of messages) sent.add(value);
    };
    const members = [await consume({ ...group, handle }), await consume({ ...group, handle })];
    for (const round of numbered(5)) {
      await send(`${round}-before`);
      const [next] = await Promise.all([consume({ ...group, handle }), send(`${round}-joining`)]);
      members.push(next);
      await Promise.all([members.shift()?.stop(), send(`${round}-leaving`)]);
    }
    await until(() => [...sent].every((value) => handled.has(value)), 'everything was handled');
    expect(calls).toBeGreaterThan(20);
  });

  test('does not end the retry of a paused partition', async () => {
    const topic = await newTopic();
    const publisher = await newPublisher();
    const groupId = randomUUID();
    const handled: string[] = [];
    let attempts = 0;
    let isFailing = true;
    const handle: BatchHandler = ({ messages }) => {
      attempts += 1;
      if (isFailing) return Promise.resolve({ processed: 0, retryAfterMs: 300 });
      handled.push(...messages.map((message) => message.value));
      return Promise.resolve({ processed: messages.length });
    };
    await consume({ groupId, topic, handle });
    await publisher.publish(
      numbered(PARTITIONS).flatMap((_, partition) => messagesFor(topic, partition, ['a', 'b'])),
    );
    await until(() => attempts >= PARTITIONS, 'every partition failed');
    const second = await consume({ groupId, topic, handle });
    await until(() => second.running && attempts >= 3 * PARTITIONS, 'retries go on');
    isFailing = false;
    await until(() => handled.length >= 2 * PARTITIONS, 'everything was handled');
    expect(new Set(handled)).toEqual(new Set(['a', 'b']));
  });
});

/** Joins a group as another process and is killed: the broker takes it for a member that is silent. */
async function leaveGhost(group: { clientId: string; groupId: string; topic: string }) {
  const script = `
    const { Kafka } = require('kafkajs');
    const [broker, clientId, groupId, topic] = process.argv.slice(1);
    const kafka = new Kafka({ clientId, brokers: [broker], logLevel: 0 });
    const consumer = kafka.consumer({ groupId, sessionTimeout: 300000, rebalanceTimeout: 300000 });
    consumer.on('consumer.group_join', () => process.stdout.write('joined'));
    void consumer
      .connect()
      .then(() => consumer.subscribe({ topics: [topic], fromBeginning: true }))
      .then(() => consumer.run({ autoCommit: false, eachMessage: async () => undefined }));
  `;
  const { clientId, groupId, topic } = group;
  // The library's own timers, which newer Nodes remark on: this process does not replace them.
  const quiet = '--disable-warning=TimeoutNegativeWarning';
  const args = [quiet, '-e', script, String(brokers[0]), clientId, groupId, topic];
  const ghost = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(ghost.stdout, 'data');
  ghost.kill('SIGKILL');
  await once(ghost, 'exit');
}

describe('a member that was killed', () => {
  test('is signed off by the next start of the same instance, long before its session is over', async () => {
    const topic = await newTopic();
    const [groupId, clientId] = [randomUUID(), `workers-${randomUUID()}`];
    await leaveGhost({ clientId, groupId, topic });
    const reader = recorder();
    await consume({ groupId, topic, clientId, handle: reader.handle });
    const publisher = await newPublisher();
    await publisher.publish(
      numbered(PARTITIONS).flatMap((_, partition) => messagesFor(topic, partition, ['a'])),
    );
    await until(() => reader.seen.length === PARTITIONS, 'all partitions are read');
  });

  test('is told so and joins again where it was alive: two of one name share what there is', async () => {
    const topic = await newTopic();
    const [groupId, clientId] = [randomUUID(), `workers-${randomUUID()}`];
    const readers = [recorder(), recorder()] as const;
    await consume({ groupId, topic, clientId, handle: readers[0].handle });
    await consume({ groupId, topic, clientId, handle: readers[1].handle });
    const publisher = await newPublisher();
    let rounds = 0;
    await until(async () => {
      await publisher.publish(
        numbered(PARTITIONS).flatMap((_, partition) =>
          messagesFor(topic, partition, [`${rounds}`]),
        ),
      );
      rounds += 1;
      return readers.every(({ seen }) => seen.length > 0);
    }, 'both read');
    const read = (): Set<string> =>
      new Set(
        readers.flatMap(({ seen }) => seen.map(({ partition, value }) => `${partition}: ${value}`)),
      );
    await until(() => read().size === PARTITIONS * rounds, 'every message was read');
  });

  test('is not mixed up with another instance, which keeps its share', async () => {
    const topic = await newTopic();
    const groupId = randomUUID();
    const readers = [recorder(), recorder()] as const;
    await consume({ groupId, topic, handle: readers[0].handle });
    await consume({ groupId, topic, handle: readers[1].handle });
    const publisher = await newPublisher();
    await until(async () => {
      await publisher.publish(
        numbered(PARTITIONS).flatMap((_, partition) => messagesFor(topic, partition, ['a'])),
      );
      return readers.every(({ seen }) => seen.length > 0);
    }, 'both read');
  });
});

test('a session time-out that the broker refuses as too short is followed by a longer one', async () => {
  const topic = await newTopic();
  const reader = recorder();
  const warned = jest.spyOn(log, 'warn');
  const consumer = await consume({
    groupId: randomUUID(),
    topic,
    handle: reader.handle,
    sessionTimeoutsMs: [1_001, 30_000],
  });
  const warnings = warned.mock.calls.map((call: readonly unknown[]) => call[1]);
  warned.mockRestore();
  expect(warnings).toMatchObject([{ refusedMs: 1_001, nextMs: 30_000 }]);
  const publisher = await newPublisher();
  await publisher.publish(messagesFor(topic, 0, ['a']));
  await until(() => reader.seen.length === 1, 'the message was read');
  expect(consumer.running).toBe(true);
});

describe('a broker that is away', () => {
  const nobody = ['127.0.0.1:1'];

  test('leaves the consumer trying and not running, and a stop ends it', async () => {
    const consumer = await startConsumer({
      brokers: nobody,
      clientId: 'runtime-spec',
      groupId: randomUUID(),
      topics: ['t'],
      log,
      handle: () => Promise.resolve({ processed: 0 }),
    });
    expect(consumer.running).toBe(false);
    expect(await consumer.lag()).toEqual(new Map());
    await consumer.stop();
  });

  test('makes publishing reject and the health check too', async () => {
    const publisher = await createPublisher({ brokers: nobody, clientId: 'runtime-spec', log });
    await expect(publisher.publish(messagesFor('t', 0, ['a']))).rejects.toThrow('not acknowledged');
    await publisher.close();
    await expect(kafkaHealthCheck({ brokers: nobody })()).rejects.toThrow();
    await expect(kafkaHealthCheck({ brokers })()).resolves.toBeUndefined();
  });
});

describe('createTopics', () => {
  test('creates what is missing, adds partitions, and may be called by several at once', async () => {
    const topics = [`runtime-spec-${randomUUID()}`, `runtime-spec-${randomUUID()}`];
    const create = (partitions: number) => createTopics({ brokers, topics, partitions });
    await Promise.all([create(2), create(2)]);
    await create(3);
    await create(1);
    const publisher = await newPublisher();
    await publisher.publish(messagesFor(topics[0] ?? '', 2, ['in the added partition']));
  });
});
