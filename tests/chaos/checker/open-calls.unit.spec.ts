import { beforeEach, describe, expect, it } from '@jest/globals';
import type { JournalAnswer, JournalLine } from '../journal/journal.js';
import { OpenCalls } from './open-calls.js';

const SUBMIT = line(1, { op: 'submit', key: 'k', request: { amount: '1.00' } });
const BATCH = line(2, {
  op: 'batch',
  key: 'batch',
  request: {
    transfers: [
      { idempotencyKey: 'l', amount: '2.00' },
      { idempotencyKey: 'm', amount: '3.00' },
    ],
  },
});
const TAKEN = { status: 202, body: { transactionId: 't' } };

function line(call: number, more: Partial<JournalLine>): JournalLine {
  const at = '2026-01-31T10:00:00.000Z';
  return { ...{ call, at, op: 'poll', attempt: 1, key: '', via: 'http://one' }, ...more };
}

describe('calls', () => {
  let counts: Record<string, number>;
  let calls: OpenCalls<string>;

  beforeEach(() => {
    counts = {};
    calls = new OpenCalls((name, more = 1) => {
      counts[name] = (counts[name] ?? 0) + more;
    });
    for (const asked of [SUBMIT, BATCH]) {
      calls.asked(asked, ({ op, key, request }) => `${op} ${key} ${String(request?.['amount'])}`);
    }
  });

  const told = (asked: JournalLine, answer: JournalAnswer) =>
    calls.answered(asked, answer)?.map((one) => [one.line.op, one.line.key, one.call, one.answer]);

  it('have their own answer, whichever comes first', () => {
    const results = [
      { status: 202, transfer: { transactionId: 'u' } },
      { status: 409, problem: { code: 'x' } },
    ];
    expect(told(BATCH, { status: 200, body: { results } })).toEqual([
      ['submit', 'l', 'submit l 2.00', { status: 202, body: { transactionId: 'u' } }],
      ['submit', 'm', 'submit m 3.00', { status: 409, body: { code: 'x' } }],
    ]);
    expect(told(SUBMIT, TAKEN)).toEqual([['submit', 'k', 'submit k 1.00', TAKEN]]);
    expect(calls.left()).toEqual([]);
    const counted = { calls: 2, batches: 1, members: 2, membersTaken: 1, neverAnswered: 0 };
    expect(counts).toEqual(counted);
  });

  it('of a batch are all told what was said of the whole', () => {
    const lost = { unknown: 'ECONNRESET' };
    expect(told(BATCH, lost)?.map(([, key, , answer]) => [key, answer])).toEqual([
      ['l', lost],
      ['m', lost],
    ]);
    expect(counts).toMatchObject({ unknownAnswers: 1 });
  });

  it('are left where no answer came', () => {
    expect(calls.left()).toEqual(['submit k 1.00', 'submit l 2.00', 'submit m 3.00']);
    expect(counts).toMatchObject({ neverAnswered: 2 });
  });

  it('are answered once, and only where they were made', () => {
    expect(told(SUBMIT, TAKEN)).toHaveLength(1);
    expect(told(SUBMIT, TAKEN)).toBeUndefined();
    expect(told(line(9, {}), TAKEN)).toBeUndefined();
  });
});
