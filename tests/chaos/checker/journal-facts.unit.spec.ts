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
const MEMBERS = ['k', 'l', 'm'].map((key) => ({
  ...TERMS,
  ...{ description: key, idempotencyKey: key },
}));
const BATCH = batchOf(MEMBERS);
const POLL: Asked = { op: 'poll', attempt: 1, key: 'k', via: 'http://two', transferId: ID };

function batchOf(transfers: readonly Readonly<Record<string, unknown>>[]): Asked {
  return { op: 'batch', attempt: 1, key: 'batch', via: 'http://one', request: { transfers } };
}

const taken = (transactionId: string, more = {}) => ({
  ...{ status: 202, replayed: false },
  transfer: { transactionId, status: 'requested', ...TERMS, ...more },
});
const refused = (status: number, code: string) => ({ status, problem: { status, code } });

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

  it('takes each member of a batch for a request of its own, and its result for the answer', async () => {
    const results = [
      taken(ID),
      refused(503, 'shard-unavailable'),
      taken(OTHER_ID, { description: 'm' }),
    ];
    call(BATCH, 200, { results });
    call(SUBMIT, 202, { transactionId: ID, status: 'requested', ...TERMS });
    const { facts, wrong } = await read();
    expect(wrong).toEqual([]);
    expect(facts.movements.get('k')).toMatchObject({ ids: new Set([ID]), mayExist: false });
    expect(facts.movements.get('l')).toMatchObject({ ids: new Set(), mayExist: true });
    expect(facts.movements.get('m')).toMatchObject({ ids: new Set([OTHER_ID]), mayExist: false });
    expect(facts.terms.get(OTHER_ID)).toMatchObject({ description: 'm' });
    expect(facts.counts).toMatchObject({ calls: 2, batches: 1, members: 3, membersTaken: 2 });
  });

  it.each([
    ['no answer at all', { unknown: 'ECONNRESET' }],
    ['503 for the whole', { status: 503, body: { code: 'overloaded' } }],
  ])('leaves every member of a batch open where there was %s', async (_, answer) => {
    journal.answered(journal.asked(BATCH), BATCH, answer);
    const { facts, wrong } = await read();
    expect(wrong).toEqual([]);
    expect([...facts.movements.values()].map(({ mayExist }) => mayExist)).toEqual(
      MEMBERS.map(() => true),
    );
  });

  const wrongBatches: [string, Asked, unknown, string][] = [
    [
      'a member was told of another transfer than the same request alone',
      batchOf(MEMBERS.slice(0, 1)),
      [taken(OTHER_ID)],
      `key answered with several transfers: k: ${ID}, ${OTHER_ID}`,
    ],
    [
      'two members with one key were two transfers',
      batchOf([MEMBERS[1]!, MEMBERS[1]!]),
      [taken(ID), taken(OTHER_ID)],
      `key answered with several transfers: l: ${ID}, ${OTHER_ID}`,
    ],
    [
      'another request under a used key was taken',
      batchOf([{ ...MEMBERS[0], description: 'other' }]),
      [taken(ID)],
      `key used for two requests: k was answered with ${ID}`,
    ],
    [
      'a bad request was taken',
      batchOf([{ ...MEMBERS[1], amount: '-1.00' }]),
      [taken(OTHER_ID)],
      `bad request was taken: l was answered with ${OTHER_ID}`,
    ],
    [
      'a good member was refused',
      batchOf(MEMBERS.slice(1, 2)),
      [refused(400, 'invalid-request')],
      'answer unexpected: submit of l at http://one: 400 invalid-request',
    ],
    [
      'a member failed inside',
      batchOf(MEMBERS.slice(1, 2)),
      [refused(500, 'internal-error')],
      'internal error: submit of l at http://one',
    ],
    [
      'a member has no result',
      batchOf(MEMBERS.slice(1)),
      [taken(ID)],
      'answer unexpected: submit of m at http://one: 200 undefined',
    ],
    [
      'a result has no status',
      batchOf(MEMBERS.slice(1, 2)),
      [{ transfer: taken(OTHER_ID).transfer }],
      'answer unexpected: submit of l at http://one: 0 undefined',
    ],
  ];

  it.each(wrongBatches)('is wrong where of a batch %s', async (_, asked, results, wanted) => {
    call(SUBMIT, 202, { transactionId: ID, status: 'requested', ...TERMS });
    call(asked, 200, { results });
    const { wrong } = await read();
    // Terms that are told of the wrong transfer are named, too.
    expect(wrong.filter((line) => !line.startsWith('two terms were told'))).toContain(wanted);
  });

  it('knows what must never become a transfer, and that its key is free for a good request', async () => {
    const bad = { ...MEMBERS[0], destinationAccount: 'a', description: 'bad' };
    const other = { ...MEMBERS[1], description: 'other' };
    call(batchOf([bad, MEMBERS[1]!]), 200, {
      results: [refused(400, 'invalid-request'), taken(OTHER_ID, { description: 'l' })],
    });
    call(batchOf([other]), 200, { results: [refused(422, 'idempotency-key-reused')] });
    call(SUBMIT, 202, { transactionId: ID, status: 'requested', ...TERMS });
    const { facts, wrong } = await read();
    expect(wrong).toEqual([]);
    expect([...facts.forbidden]).toEqual([
      ['bad', 'bad request took effect'],
      ['other', 'used key made another transfer'],
    ]);
    expect(facts.counts).toMatchObject({ badRequestsRefused: 1, reusesRefused: 1 });
  });
});
