import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { until } from '@surety/testing';
import { ServiceControl, freePort } from '@surety/testing/system';
import { sleep } from '../retry.js';
import { silentLog } from '../spec-support.js';
import { startConsumer } from './consumer.js';
import type { MessagePublisher } from './ports.js';
import { createPublisher } from './publisher.js';
import { createTopics } from './topics.js';

const KAFKA = 'kafka';
const log = silentLog();
const root = process.cwd();

let control: ServiceControl;
let broker: string;
let pid: number;
let front: Front;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  mkdirSync(join(root, '.surety/test'), { recursive: true });
  control = new ServiceControl(root, mkdtempSync(join(root, '.surety/test', 'publisher-')));
  const port = await freePort();
  front = await Front.listen(port);
  const started = await control.start('kafka', KAFKA, {
    behindProxy: { port, advertisedPort: front.port },
  });
  broker = started.url;
  pid = started.pid;
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

afterAll(async () => {
  await control.close();
  front.close();
});

/** Between the publisher and the broker; can swallow the broker's answers. */
class Front {
  /** The next answer of this many bytes or more is lost, with its connection. */
  losesAnswersFrom = Number.POSITIVE_INFINITY;
  lostAnswers = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(targetPort: number) {
    this.server = createServer((client) => {
      const target = connect({ host: '127.0.0.1', port: targetPort });
      const end = (): void => {
        client.destroy();
        target.destroy();
      };
      for (const socket of [client, target]) {
        this.sockets.add(socket);
        socket.on('close', end).on('error', end);
      }
      client.on('data', (chunk) => target.write(chunk));
      target.on('data', (chunk) => {
        if (chunk.length >= this.losesAnswersFrom) {
          this.losesAnswersFrom = Number.POSITIVE_INFINITY;
          this.lostAnswers += 1;
          end();
        } else client.write(chunk);
      });
    });
  }

  static async listen(targetPort: number): Promise<Front> {
    const front = new Front(targetPort);
    await new Promise<void>((resolve) => {
      front.server.listen(0, '127.0.0.1', resolve);
    });
    return front;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

async function newTopic(): Promise<string> {
  const topic = `publisher-spec-${randomUUID()}`;
  await createTopics({ brokers: [broker], topics: [topic], partitions: 2 });
  return topic;
}

async function newPublisher(reached = broker): Promise<MessagePublisher> {
  const publisher = await createPublisher({ brokers: [reached], clientId: 'publisher-spec', log });
  opened.push(publisher);
  return publisher;
}

/** Values of partition 0, as they come. */
async function readFrom(topic: string): Promise<string[]> {
  const values: string[] = [];
  const consumer = await startConsumer({
    ...{ brokers: [broker], clientId: `publisher-spec-${randomUUID()}`, groupId: randomUUID() },
    ...{ topics: [topic], log },
    handle: ({ messages }) => {
      values.push(...messages.map(({ value }) => value));
      return Promise.resolve({ processed: messages.length });
    },
  });
  opened.push({ close: () => consumer.stop() });
  return values;
}

/** The signal returns before every thread of the broker has stopped: one of them may still answer. */
async function freeze(): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  if (process.platform === 'linux') await until(isFrozen, 'every thread has stopped');
  else await sleep(500);
}

function isFrozen(): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  // The state follows the name, which is in brackets.
  return threads.every((id) => / T /.test(readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8')));
}

function publish(publisher: MessagePublisher, topic: string, value: string): Promise<void> {
  return publisher.publish([{ topic, partition: 0, value }]);
}

test('a message whose answer gets lost is sent again and is there once', async () => {
  const topic = await newTopic();
  const warned = jest.spyOn(log, 'warn');
  const publisher = await newPublisher(`127.0.0.1:${front.port}`);
  await publish(publisher, topic, 'before');
  front.losesAnswersFrom = 1;
  const lostBefore = front.lostAnswers;
  await publish(publisher, topic, 'lost');
  expect(front.lostAnswers).toBe(lostBefore + 1);
  await publish(publisher, topic, 'after');
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
  const values = await readFrom(topic);
  await until(() => values.includes('after'), 'the last message arrived');
  expect(values).toEqual(['before', 'lost', 'after']);
});

test('publishes of several at once are all there, each in its order, with no sequence lost', async () => {
  const topic = await newTopic();
  const publisher = await newPublisher();
  const series = ['a', 'b', 'c'].map(async (name) => {
    for (let at = 0; at < 40; at += 1) await publish(publisher, topic, `${name}-${at}`);
  });
  await Promise.all(series);
  const values = await readFrom(topic);
  await until(() => values.length >= 120, 'all arrived');
  expect(new Set(values).size).toBe(120);
  for (const name of ['a', 'b', 'c']) {
    const own = values.filter((value) => value.startsWith(name));
    expect(own).toEqual(Array.from({ length: 40 }, (_, at) => `${name}-${at}`));
  }
});

test('a broker that pauses for less than the deadline costs time and nothing else', async () => {
  const topic = await newTopic();
  const publisher = await newPublisher();
  await publish(publisher, topic, 'before');
  await freeze();
  const published = publish(publisher, topic, 'meanwhile');
  await sleep(2_000);
  process.kill(pid, 'SIGCONT');
  await published;
  const values = await readFrom(topic);
  await until(() => values.includes('meanwhile'), 'both arrived');
  expect(values).toEqual(['before', 'meanwhile']);
});

test('a frozen broker makes every publish reject in time, and a thawed one is published to', async () => {
  const topic = await newTopic();
  const publisher = await newPublisher();
  await publish(publisher, topic, 'before');
  await freeze();
  const startedAt = performance.now();
  try {
    const both = [publish(publisher, topic, 'one'), publish(publisher, topic, 'two')];
    for (const one of both) await expect(one).rejects.toThrow('not acknowledged');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await expect(publish(publisher, topic, 'three')).rejects.toThrow('not acknowledged');
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await until(
    () =>
      publish(publisher, topic, 'after').then(
        () => true,
        () => false,
      ),
    'publishing works again',
  );
  const values = await readFrom(topic);
  await until(() => values.includes('after'), 'the last message arrived');
  expect(values[0]).toBe('before');
});

test('a broker that is killed and started again has everything that was acknowledged, in order', async () => {
  const topic = await newTopic();
  const publisher = await newPublisher();
  const acknowledged: string[] = [];
  let isOver = false;
  const publishing = (async (): Promise<void> => {
    for (let at = 0; !isOver; at += 1) {
      // As a relay does: what was not acknowledged is published until it is.
      await until(
        () =>
          publish(publisher, topic, String(at)).then(
            () => true,
            () => false,
          ),
        'publishing works again',
      );
      acknowledged.push(String(at));
    }
  })();
  await until(() => acknowledged.length >= 50, 'publishing is under way');
  await control.kill(KAFKA);
  const atDeath = acknowledged.length;
  ({ pid } = await control.restart(KAFKA));
  await until(() => acknowledged.length >= atDeath + 50, 'publishing goes on');
  isOver = true;
  await publishing;
  const values = await readFrom(topic);
  await until(() => values.includes(acknowledged.at(-1)!), 'the last message arrived');
  const firstTimes = [...new Set(values)];
  expect(firstTimes).toEqual(acknowledged);
});
