import { expect, test } from '@jest/globals';
import { Secret } from '../secret.js';
import type { KafkaSasl } from './cluster.js';
import { isLoopback, serverNameOf } from './cluster.js';
import {
  decodeSaslAuthenticate,
  decodeSaslHandshake,
  encodeSaslAuthenticate,
  encodeSaslHandshake,
} from './sasl-requests.js';
import { exchangeMessages } from './sasl.js';

/** The user and password of the example in RFC 4616, 4. */
const sasl: KafkaSasl = {
  mechanism: 'plain',
  username: 'tim',
  password: new Secret('tanstaaftanstaaf'),
};
const head = { correlationId: 7, clientId: 'c' };
/** Up to the body of a request: length, key, version, correlation id, client id. */
const headOf = (bytes: number, key: number): string =>
  `${hex(bytes, 4)}${hex(key, 2)}0001000000070001${Buffer.from('c').toString('hex')}`;
const hex = (value: number, bytes: number): string => value.toString(16).padStart(bytes * 2, '0');

async function sentTo(host: string, isEncrypted: boolean): Promise<Buffer[]> {
  const sent: Buffer[] = [];
  const ask = (message: Buffer): Promise<Buffer> => {
    sent.push(message);
    return Promise.resolve(Buffer.alloc(0));
  };
  await exchangeMessages(sasl, { host, isEncrypted, ask });
  return sent;
}

test('PLAIN says what the example of RFC 4616 says', async () => {
  expect(await sentTo('kafka', true)).toEqual([Buffer.from('\0tim\0tanstaaftanstaaf')]);
});

test.each(['127.0.0.1', '127.8.9.10', 'localhost', '::1'])(
  'PLAIN goes to %s without TLS, too',
  async (host) => {
    expect(await sentTo(host, false)).toHaveLength(1);
  },
);

test.each(['kafka', '10.0.0.1', '127.evil.example', 'localhost.example', '1270.0.0.1'])(
  'PLAIN never goes to %s without TLS',
  async (host) => {
    expect(isLoopback(host)).toBe(false);
    await expect(sentTo(host, false)).rejects.toThrow('not sent without TLS beyond loopback');
  },
);

test.each([
  ['kafka-1.bank.example', { servername: 'kafka-1.bank.example' }],
  ['10.0.0.1', {}],
  ['::1', {}],
])('%s is asked for as %j', (host, expected) => {
  expect(serverNameOf(host)).toEqual(expected);
});

test('a handshake names the mechanism', () => {
  const name = Buffer.from('PLAIN').toString('hex');
  expect(encodeSaslHandshake(head, 'PLAIN').toString('hex')).toBe(`${headOf(18, 17)}0005${name}`);
  // Refused, with one mechanism that is offered.
  const refused = Buffer.from(`0021000000010005${name}`, 'hex');
  expect(decodeSaslHandshake(refused)).toBe(33);
});

test('a message of the mechanism is sent as it is', () => {
  const encoded = encodeSaslAuthenticate(head, Buffer.from([0, 1, 255]));
  expect(encoded.toString('hex')).toBe(`${headOf(18, 36)}000000030001ff`);
});

test.each([
  ['accepted', '0000ffff0000000261620000000000000e10', 0, 'ab', 3600],
  ['refused in words', '003a00026e6f000000000000000000000000', 58, '', 0],
  ['answered with null', '0000ffffffffffff0000000000000000', 0, '', 0],
])('an authentication that was %s is read', (_what, body, errorCode, text, lifetimeMs) => {
  const message = Buffer.from(text);
  const answer = decodeSaslAuthenticate(Buffer.from(body, 'hex'));
  expect(answer).toEqual({ errorCode, message, lifetimeMs });
});

test.each(['', '0000', '0000ffff0000000961', '0000ffff00000000'])(
  'an answer that ends too early (%j) is no answer',
  (body) => {
    expect(() => decodeSaslAuthenticate(Buffer.from(body, 'hex'))).toThrow(/outside|out of range/);
  },
);
