import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { AuthenticationError } from './sasl-errors.js';
import { ScramClient } from './scram.js';
import type { ScramDigest } from './scram.js';

/** The exchange of RFC 7677, 3. */
const RFC_7677 = {
  username: 'user',
  password: 'pencil',
  clientNonce: 'rOprNGfwEbeRWgbNEkqO',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  nonce: 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
  proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};
const { nonce, salt } = RFC_7677;
const serverFirst = `r=${nonce},s=${salt},i=4096`;

function client(digest: ScramDigest = 'sha256', username = RFC_7677.username): ScramClient {
  const { password, clientNonce } = RFC_7677;
  return new ScramClient(digest, { username, password }, clientNonce);
}

test('the exchange of RFC 7677 is what the client says and accepts', async () => {
  const scram = client();
  expect(scram.clientFirst()).toBe(RFC_7677.clientFirst);
  const clientFinal = await scram.clientFinal(serverFirst);
  expect(clientFinal).toBe(`c=biws,r=${nonce},p=${RFC_7677.proof}`);
  expect(() => {
    scram.verify(RFC_7677.serverFinal);
  }).not.toThrow();
});

test('with SHA-512 a server that knows the password only as its stored keys is convinced', async () => {
  const scram = client('sha512');
  const [, withoutProof = '', proof = ''] =
    /^(.*),p=(.*)$/.exec(await scram.clientFinal(serverFirst)) ?? [];
  const hmac = (key: Buffer, text: string): Buffer =>
    createHmac('sha512', key).update(text).digest();
  const hash = (bytes: Buffer): Buffer => createHash('sha512').update(bytes).digest();
  const salted = pbkdf2Sync('pencil', Buffer.from(salt, 'base64'), 4096, 64, 'sha512');
  const storedKey = hash(hmac(salted, 'Client Key'));
  const exchange = `${RFC_7677.clientFirst.slice(3)},${serverFirst},${withoutProof}`;
  const mask = hmac(storedKey, exchange);
  const clientKey = Buffer.from(proof, 'base64').map((byte, at) => byte ^ mask[at]!);
  expect(hash(Buffer.from(clientKey))).toEqual(storedKey);
  const signature = hmac(hmac(salted, 'Server Key'), exchange).toString('base64');
  expect(() => {
    scram.verify(`v=${signature}`);
  }).not.toThrow();
});

test('comma and equals sign of a name are written as RFC 5802 asks', () => {
  expect(client('sha256', 'a=b,c').clientFirst()).toBe('n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO');
});

test('every client has a nonce of its own, without a comma', () => {
  const firsts = [1, 2].map(() =>
    new ScramClient('sha256', { username: 'u', password: 'p' }).clientFirst(),
  );
  expect(firsts[0]).toMatch(/^n,,n=u,r=[^,]{32}$/);
  expect(firsts[0]).not.toBe(firsts[1]);
});

test.each([
  ['another nonce', `r=other${nonce},s=${salt},i=4096`, 'a nonce that is not made of ours'],
  ['our nonce alone', `r=${RFC_7677.clientNonce},s=${salt},i=4096`, 'not made of ours'],
  ['too few iterations', `r=${nonce},s=${salt},i=4095`, '4095 iterations, not from 4096 to 100000'],
  ['too many iterations', `r=${nonce},s=${salt},i=100001`, '100001 iterations'],
  ['iterations without end', `r=${nonce},s=${salt},i=9999999999999`, 'no SCRAM message'],
  ['iterations that are no number', `r=${nonce},s=${salt},i=-1`, 'no SCRAM message'],
  ['no salt', `r=${nonce},s=,i=4096`, 'no SCRAM message'],
  ['a salt that is not base64', `r=${nonce},s=%,i=4096`, 'no SCRAM message'],
  ['an extension that must be known', `m=x,${serverFirst}`, 'no SCRAM message'],
  ['an error', 'e=other-error', 'no SCRAM message'],
  ['nothing', '', 'no SCRAM message'],
])('a server that answers with %s is refused', async (_what, answer, reason) => {
  const refused = client().clientFinal(answer);
  await expect(refused).rejects.toThrow(AuthenticationError);
  await expect(refused).rejects.toThrow(reason);
});

test.each([
  ['the least and', serverFirst],
  ['the most iterations, and', `r=${nonce},s=${salt},i=100000`],
  ['extensions behind them are taken', `${serverFirst},x=y`],
])('%s', async (_what, answer) => {
  await expect(client().clientFinal(answer)).resolves.toMatch(/^c=biws,/);
});

test.each([
  ['of somebody else', 'v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='],
  ['too short', 'v=6rri'],
  ['left out', ''],
  ['replaced by an error', 'e=invalid-proof'],
])('a signature %s proves nothing', async (_what, serverFinal) => {
  const scram = client();
  await scram.clientFinal(serverFirst);
  expect(() => {
    scram.verify(serverFinal);
  }).toThrow('the broker does not prove who it is');
});

test('no signature proves anything before the exchange', () => {
  expect(() => {
    client().verify(RFC_7677.serverFinal);
  }).toThrow(AuthenticationError);
});
