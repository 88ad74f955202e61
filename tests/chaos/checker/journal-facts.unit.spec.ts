import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Journal } from '../journal/journal.js';
import type { Asked } from '../journal/journal.js';
import { readFacts } from './journal-facts.js';
import type { JournalFacts } from './journal-facts.js';
import { Violations } from './violations.js';

const ID = '01a1fca5-f76e-721e-aac7-b66eab826430';
const OTHER_ID = '01a1fca5-f76e-721e-aac7-b66eab826431';
const TERMS = {
  sourceAccount: 'a',
  destinationAccount: 'b',
  amount: '1.00',
  currency: 'EUR',
  description: 'k',
};
const SUBMIT: Asked = { op: 'submit', attempt: 1, key: 'k', via: 'http://one', request: TERMS };
const POLL: Asked = { op: 'poll', attempt: 1, key: 'k', via: 'http://two', transferId: ID };

describe('what clients heard', () => {
  let directory: string;
  let journal: Journal;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'facts-'));
    journal = new Journal(join(directory, 'journal.jsonl'));
  });

  afterEach(() => {
    journal.close();
    rmSync(directory, { recursive: true });
  });

  function call(asked: Asked, status: number, body: Record<string, unknown>): void {
    journal.answered(journal.asked(asked), asked, { status, body });
  }

  async function read(): Promise<{ facts: JournalFacts; wrong: string[] }> {
    const violations = new Violations();
    const facts = await readFacts(journal.file, violations);
    return { facts, wrong: violations.lines() };
  }

  it('is kept with its terms, its furthest status and whether that was reached through a hold', async () => {
    call(SUBMIT, 202, { transactionId: ID, status: 'requested', ...TERMS });
    call(POLL, 200, { transactionId: ID, status: 'held' });
    call(POLL, 200, { transactionId: ID, status: 'committed', ...TERMS });
    const { facts, wrong } = await read();
    expect(wrong).toEqual([]);
    expect(facts.seen.get(ID)).toMatchObject({ status: 'committed', wasHeld: true });
    const { description, currency } = TERMS;
    const told = { source: 'a', destination: 'b', amount: 100n, currency, description };
    expect(facts.terms.get(ID)).toEqual(told);
  });

  it.each([
    ['an inner failure', SUBMIT, 500, {}, 'internal error: submit of k at http://one'],
    [
      'an answer about somebody else',
      POLL,
      200,
      { transactionId: OTHER_ID, status: 'held' },
      `answer about another transfer: poll of ${ID} was told of ${OTHER_ID}`,
    ],
    [
      'another amount',
      POLL,
      200,
      { transactionId: ID, status: 'held', amount: '1.01', currency: 'EUR' },
      `two terms were told: transfer ${ID}: amount 100 and 101`,
    ],
    [
      'an amount that is none',
      POLL,
      200,
      { transactionId: ID, status: 'held', amount: '1.001', currency: 'EUR' },
      `terms unreadable: transfer ${ID}: Error: 1.001 EUR is no amount`,
    ],
    [
      'another destination',
      POLL,
      200,
      { transactionId: ID, status: 'held', destinationAccount: 'c' },
      `two terms were told: transfer ${ID}: destination b and c`,
    ],
  ] as const)('is wrong where it was %s', async (_, asked, status, body, wanted) => {
    call(SUBMIT, 202, { transactionId: ID, status: 'requested', ...TERMS });
    call(asked, status, body);
    expect((await read()).wrong).toEqual([wanted]);
  });

  it('may stay open where a server was away: 503 says nothing about what was done', async () => {
    call(SUBMIT, 503, { code: 'shard-unavailable' });
    const { facts, wrong } = await read();
    expect(wrong).toEqual([]);
    expect(facts.movements.get('k')).toMatchObject({ mayExist: true, ids: new Set() });
  });
});
