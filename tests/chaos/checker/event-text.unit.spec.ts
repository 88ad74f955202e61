import { describe, expect, it } from '@jest/globals';
import { eventTextOf } from './event-text.js';

const PLAIN = {
  ...{ id: 't/20', type: 'held', schema: 1, transferId: 't', step: 20, sourceSlot: 3 },
  ...{ destinationSlot: 4, actor: 'saga', causation: 't/10', traceparent: null },
  accounts: [{ id: 'a', balance: '9', held: '1', version: '2' }],
  data: {
    ...{ kind: 'transfer', source: 'a', destination: 'b', amount: '1', currency: 'EUR' },
    ...{ reason: 'hold_expired', description: 'key' },
  },
};

const SHORT = {
  ...{ schema: 2, type: 'held', id: 't', step: 20, slots: [3, 4], by: 'saga', cause: 10 },
  terms: ['transfer', 'a', 'b', '1', 'EUR'],
  accounts: [['a', '9', '1', '2']],
  ...{ reason: 'hold_expired', description: 'key' },
};

describe("an event's text", () => {
  it('says the same in either form', () => {
    const { id, type, transferId, accounts, data } = PLAIN;
    expect(eventTextOf(JSON.stringify(PLAIN))).toMatchObject({ id, type, transferId });
    expect(eventTextOf(JSON.stringify(SHORT))).toEqual({ id, type, transferId, accounts, data });
  });

  it('says of no account where it has none', () => {
    expect(eventTextOf(JSON.stringify({ ...SHORT, accounts: undefined })).accounts).toEqual([]);
  });

  it('is not guessed at where the form is not known', () => {
    expect(() => eventTextOf(JSON.stringify({ ...SHORT, schema: 3 }))).toThrow(/no known schema/);
  });
});
