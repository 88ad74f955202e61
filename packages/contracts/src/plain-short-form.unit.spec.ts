import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeEnvelope, readEnvelope } from './envelope.js';
import type { Envelope } from './envelope.js';
import { readPlainShortForm, readPlainTerms } from './plain-short-form.js';
import { aHeldEvent } from './spec-support.js';

const ACCOUNT = { id: 'ACC1', balance: '1000', held: '30', version: '2' };
const TERMS = { id: '01890a5d-ac96-774b-bcce-b302099a8057', source: 'ACC1', destination: 'ACC2' };

function anEnvelope(fields: object = {}, data: object = {}): Envelope {
  return aHeldEvent(TERMS, { schema: 2, traceparent: null, accounts: [ACCOUNT], ...fields }, data);
}

const TEXT = encodeEnvelope(anEnvelope());

describe('an event in the short form', () => {
  it.each<[string, Envelope]>([
    ['with an account', anEnvelope()],
    ['without accounts', anEnvelope({ accounts: [] })],
    ['with a trace', anEnvelope({ traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` })],
    ['with a reason', anEnvelope({}, { reason: 'hold_expired' })],
    ['with a description', anEnvelope({}, { reason: 'hold_expired', description: 'for May' })],
    ['without a cause', anEnvelope({ causation: null })],
  ])('%s is read without a parser', (_, envelope) => {
    const text = encodeEnvelope(envelope);
    const { data, accounts } = readEnvelope(text);
    const { source, destination, amount, currency } = data;
    const account = accounts[0] && { id: accounts[0].id, balance: accounts[0].balance };
    expect(readPlainShortForm(text)).toEqual({ source, destination, amount, currency, account });
    expect(readPlainTerms(text)).toBe(`"${source}","${destination}","${amount}","${currency}"`);
  });

  it.each<[string, string]>([
    ['a member that comes twice', TEXT.replace(/\}$/, ',"terms":["transfer","a","b","5","EUR"]}')],
    ['accounts that come twice', TEXT.replace(/\}$/, ',"accounts":[["ACC1","5","0","1"]]}')],
    ['a member of a newer writer', encodeEnvelope(anEnvelope({ more: 1 }))],
    [
      'an account with more members',
      encodeEnvelope(anEnvelope({ accounts: [{ ...ACCOUNT, x: 1 }] })),
    ],
    ['two accounts', encodeEnvelope(anEnvelope({ accounts: [ACCOUNT, ACCOUNT] }))],
    ['metadata', encodeEnvelope(anEnvelope({}, { metadata: { amount: '5' } }))],
    ['escapes', encodeEnvelope(anEnvelope({}, { source: 'a"b' }))],
    ['letters beyond ASCII', encodeEnvelope(anEnvelope({}, { source: 'é' }))],
    ['an escape of a plain letter', TEXT.replace('ACC2', '\\u0041CC2')],
    ['six terms', TEXT.replace('"EUR"]', '"EUR","x"]')],
    ['an amount without quotes', TEXT.replace(/"(\d+)","EUR"/, '$1,"EUR"')],
    ['another order of members', `{"type":"held",${TEXT.slice(1)}`],
    ['the plain form', encodeEnvelope(anEnvelope({ schema: 1 }))],
    ['a newer schema', TEXT.replace('"schema":2', '"schema":3')],
    ['something before it', ` ${TEXT}`],
    ['something after it', `${TEXT}\n`],
    ['a control character', TEXT.replace('ACC2', 'ACC\t2')],
    ['no JSON', TEXT.slice(0, -1)],
    ['nothing', ''],
  ])('with %s has to be parsed', (_, text) => {
    expect(readPlainShortForm(text)).toBeUndefined();
    expect(readPlainTerms(text)).toBeUndefined();
  });

  it('says what a parser says wherever it says anything, whatever was done to the text', () => {
    const piece = fc.constantFrom(
      '"',
      ',',
      '[',
      ']',
      '}',
      '\\',
      '"x"',
      ',"y":1',
      '0',
      '\u0000',
      'é',
    );
    const at = fc.nat(TEXT.length);
    fc.assert(
      fc.property(at, fc.nat(3), piece, (place, removed, put) => {
        const text = TEXT.slice(0, place) + put + TEXT.slice(place + removed);
        const plain = readPlainShortForm(text);
        const terms = readPlainTerms(text);
        expect(terms === undefined).toBe(plain === undefined);
        if (!plain) return;
        const { accounts, data } = readEnvelope(text);
        const { source, destination, amount, currency } = data;
        expect(plain).toMatchObject({ source, destination, amount, currency });
        expect(JSON.parse(`[${terms}]`)).toEqual([source, destination, amount, currency]);
        expect(plain.account?.balance).toBe(accounts[0]?.balance);
        expect(plain.account?.id).toBe(accounts[0]?.id);
      }),
      { numRuns: 2_000 },
    );
  });
});
