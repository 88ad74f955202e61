import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { freePort } from '@surety/testing/system';
import { Leaders } from './leaders.js';
import { kafkaHealthCheck } from './topics.js';

/** Says the same to whoever asks, or, without an answer, accepts connections and nothing more. */
class FakeBroker {
  asked = 0;
  readonly sockets = new Set<Socket>();
  private readonly server: Server;

  private constructor(answer: ((port: number) => Buffer) | undefined) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
      socket.on('data', (request) => {
        this.asked += 1;
        if (answer === undefined) return;
        const body = Buffer.concat([request.subarray(8, 12), answer(this.port)]);
        const frame = Buffer.concat([int32(body.length), body]);
        // In pieces, as a network may bring it.
        socket.write(frame.subarray(0, 3));
        setTimeout(() => socket.write(frame.subarray(3)), 10);
      });
    });
  }

  static async listen(answer?: (port: number) => Buffer): Promise<FakeBroker> {
    const broker = new FakeBroker(answer);
    await new Promise<void>((resolve) => {
      broker.server.listen(0, '127.0.0.1', resolve);
    });
    started.push(broker);
    return broker;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

const started: FakeBroker[] = [];

afterEach(() => {
  for (const broker of started.splice(0)) broker.close();
});

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

function list(...items: Buffer[]): Buffer {
  return Buffer.concat([int32(items.length), ...items]);
}

function partition(id: number, leader: number, error = 0): Buffer {
  const nodes = list(int32(1), int32(2));
  return Buffer.concat([int16(error), int32(id), int32(leader), nodes, nodes]);
}

function topic(name: string, error: number, ...partitions: Buffer[]): Buffer {
  return Buffer.concat([int16(error), text(name), Buffer.from([0]), list(...partitions)]);
}

/** Node 1 answers, node 2 is somewhere else; `led` has a partition that nobody leads. */
function answer(port: number): Buffer {
  const rack = [int16(-1), text('rack')];
  const brokers = list(
    Buffer.concat([int32(1), text('127.0.0.1'), int32(port), rack[0]!]),
    Buffer.concat([int32(2), text('elsewhere'), int32(9), rack[1]!]),
  );
  const topics = list(
    topic('led', 0, partition(0, 1), partition(1, -1, 5), partition(2, 2)),
    topic('unknown', 3),
  );
  return Buffer.concat([int32(0), brokers, text('cluster'), int32(1), topics]);
}

function leadersOf(...brokers: string[]): Leaders {
  return new Leaders({ brokers, clientId: 'leaders-spec' });
}

test('what nobody leads and what is unknown leaves the other partitions as they are', async () => {
  const broker = await FakeBroker.listen(answer);
  const known = await leadersOf(broker.address).learn(['led', 'unknown']);
  const here = { host: '127.0.0.1', port: broker.port };
  const elsewhere = { host: 'elsewhere', port: 9 };
  expect(known.brokers).toEqual([here, elsewhere]);
  expect([0, 1, 2, 3].map((id) => known.of('led', id))).toEqual([
    ...[here, undefined, elsewhere, undefined],
  ]);
  expect(known.of('unknown', 0)).toBeUndefined();
});

test('brokers that refuse, are frozen or talk nonsense are passed over', async () => {
  const frozen = await FakeBroker.listen();
  const nonsense = await FakeBroker.listen(() => Buffer.alloc(20, 255));
  const short = await FakeBroker.listen((port) => answer(port).subarray(0, -5));
  const sound = await FakeBroker.listen(answer);
  const refusing = `127.0.0.1:${await freePort()}`;
  const seeds = [frozen, nonsense, short, sound].map(({ address }) => address);
  const leaders = leadersOf(...seeds, refusing);
  // The second time it begins behind the one that answered, and comes to all of them.
  for (let round = 0; round < 2; round += 1) {
    const known = await leaders.learn(['led']);
    expect(known.of('led', 0)).toEqual({ host: '127.0.0.1', port: sound.port });
    leaders.forget();
  }
  for (const { asked } of [frozen, nonsense, short]) expect(asked).toBeGreaterThan(0);
});

test('without an answer it is told what was met, as something that passes', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  await expect(leadersOf(address, address).learn(['led'])).rejects.toMatchObject({
    isRetriable: true,
    cause: { message: expect.stringContaining(address) },
  });
});

test('what is heard is asked for once, and not at all after the end', async () => {
  const broker = await FakeBroker.listen(answer);
  const leaders = leadersOf(broker.address);
  await Promise.all([leaders.learn(['led']), leaders.learn(['led'])]);
  await leaders.learn(['led']);
  expect(broker.asked).toBe(1);
  leaders.close();
  leaders.forget();
  await expect(leaders.learn(['led'])).rejects.toMatchObject({ isRetriable: false });
  expect(broker.asked).toBe(1);
});

test('closing ends at once what is under way, and its connection', async () => {
  const frozen = await FakeBroker.listen();
  const leaders = leadersOf(frozen.address, frozen.address);
  const learnt = leaders.learn(['led']);
  setTimeout(() => {
    leaders.close();
  }, 50);
  const startedAt = performance.now();
  await expect(learnt).rejects.toMatchObject({ isRetriable: false });
  expect(performance.now() - startedAt).toBeLessThan(1_500);
});

test('the cluster is there for a health check while one of its brokers answers, in time', async () => {
  const frozen = await FakeBroker.listen();
  const sound = await FakeBroker.listen(answer);
  const refusing = `127.0.0.1:${await freePort()}`;
  const startedAt = performance.now();
  const brokers = [frozen.address, refusing, sound.address];
  const checks = Array.from({ length: 10 }, () => kafkaHealthCheck({ brokers })());
  await Promise.all(checks);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  await expect(kafkaHealthCheck({ brokers: [frozen.address] })()).rejects.toThrow('who leads');
});
