import { describe, expect, it } from '@jest/globals';
import { composeTransferId, externalAccountId, slotOfAccount } from '@surety/domain';
import fc from 'fast-check';
import {
  decisionOfEnvelope,
  decodeMessage,
  encodeEnvelope,
  encodeMessage,
  termsOf,
} from './envelope.js';
import type { Envelope } from './envelope.js';
import { aHeldEvent } from './spec-support.js';

const SOURCE = 'ACC001';
const DESTINATION = 'ACC002';
const ACCOUNT = { id: SOURCE, balance: '1', held: '0', version: '1' };
const ID = composeTransferId(1_700_000_000_000, slotOfAccount(SOURCE), new Uint8Array(8));

function anEnvelope(fields: object = {}, data: object = {}): Envelope {
  const step = 'step' in fields ? String(fields.step) : '20';
  const terms = { id: ID, source: SOURCE, destination: DESTINATION };
  return aHeldEvent(terms, { id: `${ID}/${step}`, ...fields }, data);
}

function without(path: string): unknown {
  const copy = structuredClone(anEnvelope()) as unknown as Record<string, unknown>;
  const [first, second] = path.split('.') as [string, string?];
  if (second === undefined) Reflect.deleteProperty(copy, first);
  else Reflect.deleteProperty(copy[first] as object, second);
  return copy;
}

function decoded(...items: readonly unknown[]): ReturnType<typeof decodeMessage> {
  return decodeMessage(JSON.stringify(items));
}

describe('decoding a message', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['half a message', '[{"id":'],
    ['no JSON', 'hello'],
    ['a single event outside an array', JSON.stringify(anEnvelope())],
    ['null', 'null'],
    ['a number', '1'],
    ['an array of null', '[null]'],
    ['an array of text', '["event"]'],
    ['an array in an array', '[[]]'],
  ])('finds %s malformed', (_, text) => {
    expect(decodeMessage(text)).toMatchObject({ kind: 'malformed' });
  });

  it.each([
    'id',
    'type',
    'schema',
    'transferId',
    'step',
    'sourceSlot',
    'destinationSlot',
    'requestedAt',
    'occurredAt',
    'actor',
    'causation',
    'traceparent',
    'accounts',
    'data',
    'data.kind',
    'data.source',
    'data.destination',
    'data.amount',
    'data.currency',
  ])('finds an event without %s malformed', (path) => {
    expect(decoded(without(path))).toMatchObject({ kind: 'malformed' });
  });

  it.each<[string, object, object]>([
    ['an unknown type', { type: 'captured' }, {}],
    ['a schema of zero', { schema: 0 }, {}],
    ['a schema that is text', { schema: '1' }, {}],
    ['a transfer id in upper case', { transferId: ID.toUpperCase() }, {}],
    ['a transfer id of version 4', { transferId: ID.replace('-7', '-4') }, {}],
    ['an unknown step', { step: 25 }, {}],
    ['a step that is text', { step: '20' }, {}],
    ['a slot below the first', { sourceSlot: -1 }, {}],
    ['a slot beyond the last', { destinationSlot: 4096 }, {}],
    ['a slot in between', { sourceSlot: 0.5 }, {}],
    ['a time that is no time', { occurredAt: 'yesterday' }, {}],
    ['a time of another zone', { occurredAt: '2026-01-31T10:15:30+01:00' }, {}],
    ['a month thirteen', { requestedAt: '2026-13-31T10:15:30.123456Z' }, {}],
    ['a month zero', { requestedAt: '2026-00-31T10:15:30.123456Z' }, {}],
    ['a day zero', { requestedAt: '2026-01-00T10:15:30.123456Z' }, {}],
    ['a day thirty-two', { requestedAt: '2026-01-32T10:15:30.123456Z' }, {}],
    ['an hour twenty-four', { requestedAt: '2026-01-31T24:00:00Z' }, {}],
    ['a minute sixty', { requestedAt: '2026-01-31T10:60:30.123456Z' }, {}],
    ['a second sixty', { requestedAt: '2026-01-31T10:15:60.123456Z' }, {}],
    ['a time of seven digits', { requestedAt: '2026-01-31T10:15:30.1234567Z' }, {}],
    ['a balance that is a number', { accounts: [{ ...ACCOUNT, balance: 1 }] }, {}],
    ['a balance with decimals', { accounts: [{ ...ACCOUNT, balance: '1.5' }] }, {}],
    ['an amount that is a number', {}, { amount: 3000 }],
    ['an amount with decimals', {}, { amount: '30.00' }],
    ['an amount in exponent form', {}, { amount: '3e3' }],
    ['an amount of zero', {}, { amount: '0' }],
    ['a negative amount', {}, { amount: '-3000' }],
    ['an amount beyond 10^15', {}, { amount: '1000000000000001' }],
    ['an amount beyond a signed 64-bit column', {}, { amount: '99999999999999999999' }],
    ['an unknown kind', {}, { kind: 'gift' }],
    ['an unknown reason', {}, { reason: 'bad_mood' }],
    ['a reason that every object has', {}, { reason: 'toString' }],
  ])('finds %s malformed', (_, fields, data) => {
    expect(decoded(anEnvelope(fields, data))).toMatchObject({ kind: 'malformed' });
  });

  it.each<[string, object, object, RegExp]>([
    ['an id of another step', { id: `${ID}/30` }, {}, /id is not transferId\/step/],
    ['a source in another slot', { sourceSlot: 1 }, {}, /sourceSlot/],
    ['a destination in another slot', { destinationSlot: 1 }, {}, /destinationSlot/],
    ['another source', {}, { source: 'ACC003' }, /sourceSlot/],
    ['a hold at the step of a credit', { step: 30 }, {}, /held does not lie at step 30/],
    ['a credit at the step of a hold', { type: 'credited' }, {}, /credited does not lie at/],
    ['a refusal without a reason', { type: 'refused', step: 30 }, {}, /refused gives no reason/],
    ['a void without a reason', { type: 'voided', step: 30 }, {}, /voided gives no reason/],
    ['a rejection without a reason', { type: 'rejected', step: 20 }, {}, /gives no reason/],
    ['a cancel without a reason', { type: 'cancelled', step: 40 }, {}, /gives no reason/],
  ])('finds %s malformed and says why', (_, fields, data, error) => {
    const result = decoded(anEnvelope(fields, data));
    expect(result).toEqual({ kind: 'malformed', error: expect.stringMatching(error) });
  });

  it('finds a whole message malformed for one of its events', () => {
    expect(decoded(anEnvelope(), without('data'))).toMatchObject({ kind: 'malformed' });
  });

  it.each<[string, unknown[], number]>([
    ['alone', [anEnvelope({ schema: 3 })], 3],
    ['behind a known one', [anEnvelope(), anEnvelope({ schema: 3 })], 3],
    ['in a shape that nobody knows yet', [{ schema: 9, novel: true }], 9],
    ['behind one that looks broken', [without('data'), { schema: 3 }], 3],
  ])('stops at a newer schema %s instead of judging it', (_, items, schema) => {
    expect(decoded(...items)).toEqual({ kind: 'unknown_schema', schema });
  });

  it.each<[string, number, object]>([
    ['requested', 10, {}],
    ['held', 20, {}],
    ['rejected', 20, { reason: 'insufficient_funds' }],
    ['credited', 30, {}],
    ['refused', 30, { reason: 'destination_closed' }],
    ['voided', 30, { reason: 'hold_expired' }],
    ['committed', 40, {}],
    ['rejected', 40, { reason: 'destination_closed' }],
    ['cancelled', 40, { reason: 'cancelled_by_client' }],
  ])('takes %s at step %d', (type, step, data) => {
    const envelope = anEnvelope({ type, step }, data);
    expect(decoded(envelope)).toEqual({ kind: 'events', events: [envelope] });
  });

  it('takes the largest amount, times without a fraction and an empty message', () => {
    const fields = { occurredAt: '2026-01-31T10:15:30Z' };
    const envelope = anEnvelope(fields, { amount: '1000000000000000' });
    expect(decoded(envelope)).toMatchObject({ kind: 'events' });
    expect(decodeMessage('[]')).toEqual({ kind: 'events', events: [] });
  });

  it('takes a funding from outside, and still checks the slot of its customer', () => {
    const slot = slotOfAccount(DESTINATION);
    const source = externalAccountId(slot, 'EUR');
    const fields = { type: 'committed', step: 40, sourceSlot: slot };
    const data = { kind: 'funding', source };
    expect(decoded(anEnvelope(fields, data))).toMatchObject({ kind: 'events' });
    const elsewhere = { ...fields, destinationSlot: slot + 1 };
    expect(decoded(anEnvelope(elsewhere, data))).toMatchObject({ kind: 'malformed' });
  });

  it('answers, and never throws, whatever arrives', () => {
    const fields = Object.keys(anEnvelope());
    const parts = Object.keys(anEnvelope().data);
    const anything = fc.oneof(fc.jsonValue(), fc.string(), fc.bigInt().map(String));
    const spoilt = fc.oneof(
      fc.tuple(fc.constantFrom(...fields), anything).map(([name, value]) => {
        return anEnvelope({ [name]: value });
      }),
      fc.tuple(fc.constantFrom(...parts), anything).map(([name, value]) => {
        return anEnvelope({}, { [name]: value });
      }),
      anything,
    );
    const kinds = ['events', 'unknown_schema', 'malformed'];
    fc.assert(
      fc.property(fc.array(spoilt, { maxLength: 3 }), (items) => {
        expect(kinds).toContain(decodeMessage(JSON.stringify(items)).kind);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(kinds).toContain(decodeMessage(text).kind);
      }),
    );
  });

  it('keeps fields that a newer writer added, at every level', () => {
    const envelope = anEnvelope(
      { added: { deep: [1] }, accounts: [{ ...ACCOUNT, added: 1 }] },
      { added: 'x', description: 'rent', metadata: { order: 7 } },
    );
    const result = decoded(envelope);
    expect(result).toEqual({ kind: 'events', events: [envelope] });
  });
});

describe('encoding', () => {
  it('puts the stored bytes of each event into the message as they are', () => {
    const stored = [encodeEnvelope(anEnvelope()), encodeEnvelope(anEnvelope({ actor: 'x' }))];
    const message = encodeMessage(stored);
    expect(message).toBe(`[${stored[0]!},${stored[1]!}]`);
    expect(encodeMessage([])).toBe('[]');
  });

  it('gives the same bytes after a journey, so a repair sends what was sent before', () => {
    const envelopes = fc.array(
      fc.record({
        actor: fc.string({ unit: 'grapheme' }),
        description: fc.string({ unit: 'binary' }),
        metadata: fc.dictionary(fc.string(), fc.jsonValue()),
        amount: fc.bigInt({ min: 1n, max: 10n ** 15n }),
      }),
    );
    fc.assert(
      fc.property(envelopes, (drawn) => {
        const encoded = drawn.map(({ actor, amount, ...data }) =>
          encodeEnvelope(anEnvelope({ actor }, { ...data, amount: amount.toString() })),
        );
        const result = decodeMessage(encodeMessage(encoded));
        expect(result.kind).toBe('events');
        if (result.kind !== 'events') return;
        expect(result.events.map(encodeEnvelope)).toEqual(encoded);
      }),
    );
  });
});

describe('what an envelope says', () => {
  it('are the terms of its transfer, exact to the last digit', () => {
    expect(termsOf(anEnvelope({}, { amount: '999999999999999' }))).toEqual({
      id: ID,
      source: SOURCE,
      destination: DESTINATION,
      amount: { minor: 999999999999999n, currency: 'EUR' },
    });
  });

  it.each<[string, number, object, unknown]>([
    ['held', 20, {}, undefined],
    ['credited', 30, {}, { outcome: 'credited' }],
    [
      'refused',
      30,
      { reason: 'destination_frozen' },
      { outcome: 'refused', reason: 'destination_frozen' },
    ],
    ['voided', 30, { reason: 'hold_expired' }, { outcome: 'voided', reason: 'hold_expired' }],
    ['committed', 40, {}, undefined],
    ['rejected', 40, { reason: 'destination_frozen' }, undefined],
  ])('is, for %s, a decision or none', (type, step, data, decision) => {
    expect(decisionOfEnvelope(anEnvelope({ type, step }, data))).toEqual(decision);
  });
});
