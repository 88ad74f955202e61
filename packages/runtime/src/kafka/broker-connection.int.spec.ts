import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '@surety/testing';
import { Secret } from '../secret.js';
import { BrokerConnection } from './broker-connection.js';
import type { KafkaSasl, SaslMechanism } from './cluster.js';
import { encodeInitProducerId } from './producer-requests.js';

const SASL_HANDSHAKE = 17;
const INIT_PRODUCER_ID = 22;
const SASL_AUTHENTICATE = 36;

interface Part {
  /** What a request with this key is answered with; undefined: nothing. */
  readonly answer: (apiKey: number) => Buffer | undefined;
}

/** A broker that plays a part, and remembers what it was asked for, in order. */
class ActingBroker {
  readonly asked: number[] = [];
  readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private readonly part: Part;

  private constructor(part: Part) {
    this.part = part;
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
      socket.on('data', (bytes) => {
        this.hear(socket, bytes);
      });
    });
  }

  static async listen(part: Part): Promise<ActingBroker> {
    const broker = new ActingBroker(part);
    await new Promise<void>((resolve) => {
      broker.server.listen(0, '127.0.0.1', resolve);
    });
    ends.push(() => {
      broker.close();
    });
    return broker;
  }

  connect(mechanism?: SaslMechanism): BrokerConnection {
    const { port } = this.server.address() as AddressInfo;
    const sasl = mechanism === undefined ? undefined : credentials(mechanism);
    const options = { clientId: 'connection-spec', sasl };
    const connection = new BrokerConnection({ host: '127.0.0.1', port }, options);
    ends.push(() => {
      connection.close();
    });
    return connection;
  }

  private close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private hear(socket: Socket, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
      const apiKey = bytes.readInt16BE(at + 4);
      this.asked.push(apiKey);
      const body = this.part.answer(apiKey);
      if (body === undefined) continue;
      const head = Buffer.alloc(4);
      head.writeInt32BE(4 + body.length);
      socket.write(Buffer.concat([head, bytes.subarray(at + 8, at + 12), body]));
    }
  }
}

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function credentials(mechanism: SaslMechanism): KafkaSasl {
  return { mechanism, username: 'surety', password: new Secret('hunter2') };
}

const AGREED = Buffer.from('000000000000', 'hex');

/** No error, no text, no message of the mechanism, and for how long it lets in. */
function letsIn(lifetimeMs = 0): Buffer {
  const lifetime = Buffer.alloc(8);
  lifetime.writeBigInt64BE(BigInt(lifetimeMs));
  return Buffer.concat([Buffer.from('0000ffff00000000', 'hex'), lifetime]);
}

function byKey(answers: Readonly<Record<number, Buffer>>): Part {
  return { answer: (apiKey) => answers[apiKey] };
}

const IDENTITY = Buffer.alloc(16);

test('what is asked at once waits for the authentication, and goes in its order', async () => {
  const broker = await ActingBroker.listen(
    byKey({
      [SASL_HANDSHAKE]: AGREED,
      [SASL_AUTHENTICATE]: letsIn(),
      [INIT_PRODUCER_ID]: IDENTITY,
    }),
  );
  const connection = broker.connect('plain');
  const both = [connection.request(encodeInitProducerId), connection.request(encodeInitProducerId)];
  expect(await Promise.all(both)).toEqual([IDENTITY, IDENTITY]);
  const authentication = [SASL_HANDSHAKE, SASL_AUTHENTICATE];
  expect(broker.asked).toEqual([...authentication, INIT_PRODUCER_ID, INIT_PRODUCER_ID]);
});

test('without SASL the first request is the first thing that is sent', async () => {
  const broker = await ActingBroker.listen(byKey({ [INIT_PRODUCER_ID]: IDENTITY }));
  await broker.connect().request(encodeInitProducerId);
  expect(broker.asked).toEqual([INIT_PRODUCER_ID]);
});

test.each<[string, SaslMechanism, Record<number, Buffer>, string]>([
  [
    'does not offer the mechanism',
    'plain',
    { [SASL_HANDSHAKE]: Buffer.from('002100000000', 'hex') },
    'SASL PLAIN: the broker does not offer this mechanism (Kafka error 33) (127.0.0.1:',
  ],
  [
    'asks for no SASL',
    'plain',
    { [SASL_HANDSHAKE]: Buffer.from('002200000000', 'hex') },
    'SASL PLAIN: the listener asks for no SASL (Kafka error 34)',
  ],
  [
    'repeats the password in its refusal',
    'plain',
    {
      [SASL_HANDSHAKE]: AGREED,
      [SASL_AUTHENTICATE]: Buffer.concat([
        Buffer.from('003a0007', 'hex'),
        Buffer.from('hunter2'),
        Buffer.alloc(12),
      ]),
    },
    'SASL PLAIN: the broker refuses username or password (Kafka error 58)',
  ],
  [
    'lets everybody in without a proof of its own',
    'scram-sha-512',
    { [SASL_HANDSHAKE]: AGREED, [SASL_AUTHENTICATE]: letsIn() },
    'SASL SCRAM-SHA-512: the broker answers no SCRAM message',
  ],
  [
    'answers what cannot be read',
    'plain',
    { [SASL_HANDSHAKE]: AGREED, [SASL_AUTHENTICATE]: Buffer.from('00', 'hex') },
    '(127.0.0.1:',
  ],
])('a broker that %s gets no request', async (_what, mechanism, answers, reason) => {
  const broker = await ActingBroker.listen(byKey(answers));
  const connection = broker.connect(mechanism);
  const failure: unknown = await connection
    .request(encodeInitProducerId)
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'ProducerError', isRetriable: true });
  expect(String(failure)).toContain(reason);
  expect(inspect(failure, { depth: 10 })).not.toContain('hunter2');
  expect(broker.asked).not.toContain(INIT_PRODUCER_ID);
  expect(connection.isOpen).toBe(false);
});

test('a broker that goes silent during the authentication is given up', async () => {
  const broker = await ActingBroker.listen(byKey({ [SASL_HANDSHAKE]: AGREED }));
  const request = broker.connect('plain').request(encodeInitProducerId);
  await expect(request).rejects.toThrow('no connection within 3000 ms');
});

test('where the broker lets in for a time, the connection retires and keeps what is asked', async () => {
  let answersRequests = true;
  const broker = await ActingBroker.listen({
    answer: (apiKey) => {
      if (apiKey === SASL_HANDSHAKE) return AGREED;
      if (apiKey === SASL_AUTHENTICATE) return letsIn(200);
      return answersRequests ? IDENTITY : undefined;
    },
  });
  const idle = broker.connect('plain');
  await idle.request(encodeInitProducerId);
  expect(idle.isOpen).toBe(true);
  await until(() => broker.sockets.size === 0, 'nobody is connected any more');
  expect(idle.isOpen).toBe(false);

  answersRequests = false;
  const busy = broker.connect('plain');
  const asked = busy.request(encodeInitProducerId);
  await until(() => !busy.isOpen, 'it takes nothing new');
  expect(broker.sockets.size).toBe(1);
  // The broker answers after all.
  const [socket] = broker.sockets;
  const answer = Buffer.from('0000001400000001', 'hex');
  socket?.write(Buffer.concat([answer, IDENTITY]));
  await expect(asked).resolves.toEqual(IDENTITY);
  await until(() => broker.sockets.size === 0, 'nobody is connected any more');
});
