import { request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  accountAnswer,
  balanceAnswer,
  balanceCopyKey,
  cancelAnswer,
  entriesAnswer,
  fundingAnswerBody,
  statusCopyKey,
  transferAcceptedAnswer,
  transferAnswer,
  transferBatchAnswer,
  transferStatusAnswer,
  readEnvelope,
} from '@surety/contracts';
import type { ProblemDocument } from '@surety/contracts';
import { findHold, findTransfer, readDecision, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import { composeTransferId, evenSlotMap, shardOfSlot, slotOfAccount } from '@surety/domain';
import { CHANNELS, connectRedis, createDoorbell, createLogger } from '@surety/runtime';
import type { RedisHandle } from '@surety/runtime';
import { actingSlot, applySteps, expireRequested } from '@surety/saga';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { startOn } from './spec-support.js';
import type { RunningIngress } from './start.js';

const REDIS_URL = process.env['SURETY_TEST_REDIS_URL'] ?? '';
const log = createLogger({ process: 'ingress', instance: 'spec', level: 'error' });

const map = evenSlotMap(2);

/** An account id of its own for each use, on the shard that is asked for. */
function accountOn(shard: number): string {
  for (;;) {
    const id = `acc-${randomUUID()}`;
    if (shardOfSlot(map, slotOfAccount(id)) === shard) return id;
  }
}

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

interface Call {
  readonly method?: string;
  readonly key?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string;
}

async function call(ingress: RunningIngress, path: string, options: Call = {}): Promise<Reply> {
  const text =
    options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const response = await fetch(`http://127.0.0.1:${ingress.port}${path}`, {
    method: options.method ?? (text === undefined ? 'GET' : 'POST'),
    headers: {
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
      ...options.headers,
    },
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: answer === '' ? undefined : JSON.parse(answer),
  };
}

function problemOf(reply: Reply): ProblemDocument {
  expect(reply.headers.get('content-type')).toBe('application/problem+json');
  return reply.body as ProblemDocument;
}

let shards: TestShards;
let redis: RedisHandle;
let ingress: RunningIngress;

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  redis = connectRedis({ url: REDIS_URL, name: 'spec', log });
  ingress = await startOn(shards.urls);
});

afterAll(async () => {
  await ingress.stop();
  await redis.close();
  await shards.drop();
});

const WRITTEN = [
  'idempotency_keys',
  'transfers',
  'open_transfers',
  'transfer_events',
  'outbox',
  'accounts',
  'ledger_entries',
];

/** How many rows all tables that a request may write have, over all shards. */
async function countRows(tables: readonly string[] = WRITTEN): Promise<number> {
  const counts = await Promise.all(
    shards.pools.shards.map((shard) =>
      shard.send(tables.map((table) => `SELECT COUNT(*) FROM ${table}`)),
    ),
  );
  return counts.flat().reduce((total, { rows }) => total + Number(rows[0]?.[0]), 0);
}

function transferBody(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    sourceAccount: 'spec-source',
    destinationAccount: 'spec-destination',
    amount: '10.50',
    currency: 'EUR',
    ...fields,
  };
}

async function openAccount(shard: number, currency = 'EUR'): Promise<string> {
  const accountId = accountOn(shard);
  const reply = await call(ingress, '/api/v1/accounts', { body: { accountId, currency } });
  expect(reply.status).toBe(201);
  return accountId;
}

function fund(account: string, amount: string, direction = 'deposit', key: string = randomUUID()) {
  const body = { amount, direction };
  return call(ingress, `/api/v1/accounts/${account}/funding`, { key, body });
}

describe('a transfer', () => {
  test('is accepted with 202, its address and its first answer', async () => {
    const body = transferBody({ amount: 10.5, description: 'rent', metadata: { room: [1, 2] } });
    const reply = await call(ingress, '/api/v1/transfers', { key: randomUUID(), body });
    expect(reply.status).toBe(202);
    const answer = transferAcceptedAnswer.parse(reply.body);
    expect(answer).toMatchObject({ status: 'requested', amount: '10.50', description: 'rent' });
    expect(reply.headers.get('location')).toBe(`/api/v1/transfers/${answer.transactionId}`);
    expect(reply.headers.get('idempotency-replayed')).toBeNull();
    expect(reply.headers.get('x-powered-by')).toBeNull();
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('is found at once, whichever process answers', async () => {
    const other = await startOn(shards.urls);
    try {
      const body = transferBody({ metadata: { a: 1 } });
      const { transactionId } = transferAcceptedAnswer.parse(
        (await call(ingress, '/api/v1/transfers', { key: randomUUID(), body })).body,
      );
      const full = await call(other, `/api/v1/transfers/${transactionId.toUpperCase()}`);
      expect(transferAnswer.parse(full.body)).toMatchObject({
        transactionId,
        status: 'requested',
        kind: 'transfer',
        metadata: { a: 1 },
        timelineComplete: true,
        timeline: [{ step: 10, event: 'requested' }],
      });
      const status = await call(other, `/api/v1/transfers/${transactionId}/status`);
      expect(transferStatusAnswer.parse(status.body)).toMatchObject({ status: 'requested' });
    } finally {
      await other.stop();
    }
  });

  test.each(['/api/v1/transfers', '/api/v1/payments/transfer'])(
    'sent again to %s gives the first answer and writes nothing',
    async (path) => {
      const key = randomUUID();
      const body = transferBody({ amount: '7.5', metadata: { b: 1, a: 2 } });
      const first = await call(ingress, '/api/v1/transfers', { key, body });
      const before = await countRows();
      const again = { ...body, amount: '7.50', metadata: { a: 2, b: 1 } };
      const second = await call(ingress, path, { key, body: again });
      expect(second.status).toBe(202);
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      expect(second.headers.get('location')).toBe(first.headers.get('location'));
      expect(second.body).toEqual(first.body);
      expect(await countRows()).toBe(before);
    },
  );

  test.each([{ headers: { 'x-idempotency-key': 'K' } }, { field: 'K' }])(
    'takes its key from %j as well',
    async ({ headers, field }) => {
      const key = randomUUID();
      const body = transferBody(field === undefined ? {} : { idempotencyKey: key });
      const named = headers === undefined ? {} : { headers: { 'x-idempotency-key': key } };
      const first = await call(ingress, '/api/v1/transfers', { body, ...named });
      const second = await call(ingress, '/api/v1/transfers', { body: transferBody(), key });
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      expect(second.body).toEqual(first.body);
    },
  );

  test('sent many times at once is one transfer', async () => {
    const before = await countRows(['transfers']);
    const sent = { key: randomUUID(), body: transferBody() };
    const replies = await Promise.all(
      Array.from({ length: 40 }, () => call(ingress, '/api/v1/transfers', sent)),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const replayed = replies.filter(({ headers }) => headers.has('idempotency-replayed'));
    expect(replayed).toHaveLength(39);
    expect(await countRows(['transfers'])).toBe(before + 1);
  });

  test('of unknown accounts is accepted: the saga has the word about them', async () => {
    const body = { sourceAccount: accountOn(0), destinationAccount: accountOn(1), amount: '1' };
    const reply = await call(ingress, '/api/v1/transfers', { key: randomUUID(), body });
    expect(reply.status).toBe(202);
    expect(reply.body).toMatchObject({ amount: '1.00', currency: 'EUR' });
  });

  test('without a currency has that of its source account', async () => {
    const sourceAccount = await openAccount(0, 'JPY');
    const body = { sourceAccount, destinationAccount: 'b', amount: '100' };
    const reply = await call(ingress, '/api/v1/transfers', { key: randomUUID(), body });
    expect(reply.body).toMatchObject({ amount: '100', currency: 'JPY' });
    const refused = await call(ingress, '/api/v1/transfers', {
      key: randomUUID(),
      body: { ...body, amount: '1.5' },
    });
    expect(problemOf(refused).errors).toMatchObject([
      { pointer: '/amount', code: 'too_many_decimals' },
    ]);
  });

  test('has the first answer again, though its account was opened since in a currency without cents', async () => {
    const body = { sourceAccount: accountOn(0), destinationAccount: 'b', amount: '1.5' };
    const key = randomUUID();
    const first = await call(ingress, '/api/v1/transfers', { key, body });
    expect(first.body).toMatchObject({ amount: '1.50', currency: 'EUR' });
    await call(ingress, '/api/v1/accounts', {
      body: { accountId: body.sourceAccount, currency: 'JPY' },
    });
    const again = await call(ingress, '/api/v1/transfers', { key, body });
    expect([again.status, again.body]).toEqual([202, first.body]);
    const transfers = [
      { ...body, idempotencyKey: key },
      { ...body, idempotencyKey: key, amount: '2.5' },
    ];
    const batch = await call(ingress, '/api/v1/transfers/batch', { body: { transfers } });
    expect(batch.body).toMatchObject({
      results: [{ status: 202, replayed: true, transfer: first.body }, { status: 400 }],
    });
  });
});

type BadCall = Call & { readonly path?: string };
const LONG_KEY = 'k'.repeat(256);
const UNKNOWN_ID = composeTransferId(0, 5, new Uint8Array(8));
const POST = '/api/v1/transfers';
const ACCOUNTS = '/api/v1/accounts';

describe('bad input', () => {
  const json = (fields: Record<string, unknown>): string => JSON.stringify(transferBody(fields));
  const withAmount = (amount: string): string =>
    json({ amount: 'AMOUNT' }).replace('"AMOUNT"', amount);

  test.each<[string, BadCall, number, string]>([
    ['no key', { text: json({}), key: undefined }, 400, 'idempotency-key-missing'],
    ['a key that is too long', { text: json({}), key: LONG_KEY }, 400, 'idempotency-key-invalid'],
    ['a key with a space', { text: json({}), key: 'a b' }, 400, 'idempotency-key-invalid'],
    [
      'two different keys',
      { text: json({ idempotencyKey: 'other' }) },
      400,
      'idempotency-key-ambiguous',
    ],
    ['malformed JSON', { text: '{"amount":' }, 400, 'malformed-json'],
    ['no body', { method: 'POST', text: '' }, 400, 'malformed-json'],
    ['NaN as a number', { text: withAmount('NaN') }, 400, 'malformed-json'],
    ['a list', { text: '[]' }, 400, 'invalid-request  wrong_type'],
    [
      'another content type',
      { text: json({}), headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported-media-type',
    ],
    [
      'another charset',
      { text: json({}), headers: { 'content-type': 'application/json; charset=latin1' } },
      415,
      'unsupported-media-type',
    ],
    [
      'a content encoding',
      { text: json({}), headers: { 'content-encoding': 'gzip' } },
      415,
      'unsupported-media-type',
    ],
    [
      'a body over 64 KiB',
      { text: json({ description: 'x'.repeat(65_536) }) },
      413,
      'body-too-large',
    ],
    [
      'a body of nearly a megabyte',
      { text: json({ description: 'x'.repeat(900_000) }) },
      413,
      'body-too-large',
    ],
    [
      'an unknown field',
      { text: json({ amuont: '1' }) },
      400,
      'invalid-request /amuont unknown_field',
    ],
    [
      'one name twice',
      { text: json({}).replace('{', '{"amount":"1.00",') },
      400,
      'invalid-request /amount duplicate_member',
    ],
    [
      'one name twice in metadata',
      { text: json({ metadata: { a: 1, b: 2 } }).replace('"b"', String.raw`"\u0061"`) },
      400,
      'invalid-request /metadata/a duplicate_member',
    ],
    [
      'amount zero',
      { text: json({ amount: '0.00' }) },
      400,
      'invalid-request /amount not_positive',
    ],
    [
      'amount negative',
      { text: json({ amount: '-1' }) },
      400,
      'invalid-request /amount not_positive',
    ],
    [
      'too many decimals',
      { text: json({ amount: '1.001' }) },
      400,
      'invalid-request /amount too_many_decimals',
    ],
    [
      'exponent form',
      { text: json({ amount: '1e3' }) },
      400,
      'invalid-request /amount exponent_form',
    ],
    [
      'a number of exponent form',
      { text: withAmount('1e21') },
      400,
      'invalid-request /amount exponent_form',
    ],
    ['"NaN"', { text: json({ amount: 'NaN' }) }, 400, 'invalid-request /amount not_a_number'],
    [
      'an infinite number',
      { text: withAmount('1e999') },
      400,
      'invalid-request /amount not_a_number',
    ],
    [
      'over BIGINT',
      { text: json({ amount: '92233720368547758.08' }) },
      400,
      'invalid-request /amount too_large',
    ],
    [
      'over the bound',
      { text: json({ amount: '10000000000000.01' }) },
      400,
      'invalid-request /amount too_large',
    ],
    [
      'an unknown currency',
      { text: json({ currency: 'XXQ' }) },
      400,
      'invalid-request /currency unknown_currency',
    ],
    [
      'one account twice',
      { text: json({ destinationAccount: 'spec-source' }) },
      400,
      'invalid-request /destinationAccount same_account',
    ],
    [
      'a malformed account',
      { text: json({ sourceAccount: 'ä' }) },
      400,
      'invalid-request /sourceAccount malformed_identifier',
    ],
    [
      'a missing field',
      { text: json({ destinationAccount: undefined }) },
      400,
      'invalid-request /destinationAccount required',
    ],
    ['a malformed transfer id', { path: `${POST}/not-an-id` }, 404, 'transfer-not-found'],
    [
      'another version of UUID',
      { path: `${POST}/${randomUUID()}/status` },
      404,
      'transfer-not-found',
    ],
    ['an unknown transfer id', { path: `${POST}/${UNKNOWN_ID}` }, 404, 'transfer-not-found'],
    [
      'the status of an unknown transfer',
      { path: `${POST}/${UNKNOWN_ID}/status` },
      404,
      'transfer-not-found',
    ],
    [
      'a malformed wait',
      { path: `${POST}/${UNKNOWN_ID}?wait=long` },
      400,
      'invalid-request ?wait malformed_duration',
    ],
    [
      'a wait that is too long',
      { path: `${POST}/${UNKNOWN_ID}?wait=31s` },
      400,
      'invalid-request ?wait out_of_range',
    ],
    [
      'the cancel of a malformed transfer id',
      { path: `${POST}/not-an-id/cancel`, method: 'POST' },
      404,
      'transfer-not-found',
    ],
    [
      'the cancel of an unknown transfer',
      { path: `${POST}/${UNKNOWN_ID}/cancel`, method: 'POST' },
      404,
      'transfer-not-found',
    ],
    [
      'a cancel with a malformed key',
      { path: `${POST}/${UNKNOWN_ID}/cancel`, method: 'POST', key: 'a b' },
      400,
      'idempotency-key-invalid',
    ],
    [
      'a cancel with two keys',
      { path: `${POST}/${UNKNOWN_ID}/cancel`, body: { idempotencyKey: 'other' } },
      400,
      'idempotency-key-ambiguous',
    ],
    [
      'a cancel with an unknown field',
      { path: `${POST}/${UNKNOWN_ID}/cancel`, body: { why: 'x' } },
      400,
      'invalid-request /why unknown_field',
    ],
    ['an unknown account', { path: '/api/v1/accounts/nobody' }, 404, 'account-not-found'],
    [
      'the balance of a malformed account',
      { path: '/api/v1/accounts/%20/balance' },
      404,
      'account-not-found',
    ],
    [
      'the entries of an unknown account',
      { path: '/api/v1/accounts/nobody/entries' },
      404,
      'account-not-found',
    ],
    [
      'funding of an unknown account',
      { path: '/api/v1/accounts/nobody/funding', body: { amount: '1', direction: 'deposit' } },
      404,
      'account-not-found',
    ],
    [
      'funding of nothing',
      { path: '/api/v1/accounts/nobody/funding', body: { amount: '0', direction: 'deposit' } },
      400,
      'invalid-request /amount not_positive',
    ],
    [
      'an account of an unknown currency',
      { path: '/api/v1/accounts', body: { currency: 'QQQ' } },
      400,
      'invalid-request /currency unknown_currency',
    ],
    [
      'a limit below zero',
      { path: '/api/v1/accounts', body: { currency: 'EUR', overdraftLimit: '-1' } },
      400,
      'invalid-request /overdraftLimit negative',
    ],
    [
      'an account with two currencies',
      { path: '/api/v1/accounts', text: '{"currency":"EUR","currency":"USD"}' },
      400,
      'invalid-request /currency duplicate_member',
    ],
    [
      'funding with two directions',
      {
        path: '/api/v1/accounts/nobody/funding',
        text: '{"amount":"1","direction":"deposit","direction":"withdrawal"}',
      },
      400,
      'invalid-request /direction duplicate_member',
    ],
    [
      'a cancel with one key twice',
      {
        path: `${POST}/${UNKNOWN_ID}/cancel`,
        text: '{"idempotencyKey":"a","idempotencyKey":"a"}',
      },
      400,
      'invalid-request /idempotencyKey duplicate_member',
    ],
    ['an unknown route', { path: '/api/v2/transfers' }, 404, 'route-not-found'],
    ['a broken escape', { path: '/api/v1/transfers/%E0%A4%A' }, 404, 'route-not-found'],
  ])('%s is refused, and nothing is written', async (_what, sent, status, expected) => {
    const before = await countRows();
    const key = 'key' in sent ? sent.key : randomUUID();
    const reply = await call(ingress, sent.path ?? POST, { ...sent, key });
    const problem = problemOf(reply);
    const faults = (problem.errors ?? []).map((error) => `${error.pointer} ${error.code}`);
    expect([reply.status, [problem.code, ...faults].join(' ')]).toEqual([status, expected]);
    expect(problem).toMatchObject({ status, type: `urn:surety:problem:${problem.code}` });
    expect(await countRows()).toBe(before);
  });

  test('a key that was used for another body is refused', async () => {
    const key = randomUUID();
    await call(ingress, POST, { key, body: transferBody() });
    const before = await countRows();
    const reply = await call(ingress, POST, { key, body: transferBody({ amount: '10.51' }) });
    expect([reply.status, problemOf(reply).code]).toEqual([422, 'idempotency-key-reused']);
    expect(await countRows()).toBe(before);
  });

  test('a key that was used for another source is refused while Redis remembers it', async () => {
    const key = randomUUID();
    const body = transferBody({ sourceAccount: accountOn(0) });
    await call(ingress, POST, { key, body });
    const before = await countRows();
    const reply = await call(ingress, POST, {
      key,
      body: { ...body, sourceAccount: accountOn(1) },
    });
    expect([reply.status, problemOf(reply).code]).toEqual([422, 'idempotency-key-reused']);
    expect(await countRows()).toBe(before);
  });

  test('a method that a resource does not know is answered with those that it knows', async () => {
    const reply = await call(ingress, POST, { method: 'DELETE' });
    expect([reply.status, problemOf(reply).code]).toEqual([405, 'method-not-allowed']);
    expect(reply.headers.get('allow')).toBe('POST');
    const other = await call(ingress, '/api/v1/accounts/a', { method: 'PUT', body: {} });
    expect(other.headers.get('allow')).toBe('GET, HEAD');
  });
});

/** As after a roll-back: rows that a newer release has written stay. */
describe('an event that cannot be read', () => {
  async function aRejectedTransfer(): Promise<{ id: string; shard: Shard }> {
    const body = transferBody({ description: 'rent' });
    const reply = await call(ingress, POST, { key: randomUUID(), body });
    const id = transferAcceptedAnswer.parse(reply.body).transactionId;
    const shard = shards.pools.shards[shardOfSlot(map, slotOfAccount('spec-source'))] as Shard;
    const [requested] = await readTimeline(shard, id);
    await expireRequested(shard.store, [readEnvelope(requested?.envelope ?? '')], 'spec');
    return { id, shard };
  }

  async function spoil({ id, shard }: { id: string; shard: Shard }, step: number, text: string) {
    const [result] = await shard.send([
      `UPDATE transfer_events SET envelope = ${text} ` +
        `WHERE transfer_id = x'${id.replaceAll('-', '')}' AND step = ${step}`,
    ]);
    expect(result?.affectedRows).toBe(1);
  }

  const NEWER = `REPLACE(envelope, '"schema":2', '"schema":3')`;
  const SPOILED = [NEWER, `'{'`, `'null'`, `'{"data":null}'`];

  test.each(SPOILED)('keeps neither status nor reason from being told: %s', async (text) => {
    const transfer = await aRejectedTransfer();
    await spoil(transfer, 20, text);
    const reply = await call(ingress, `${POST}/${transfer.id}`);
    expect(reply.status).toBe(200);
    const answer = transferAnswer.parse(reply.body);
    expect(answer).toMatchObject({
      ...{ status: 'rejected', reason: 'not_processed', description: 'rent', amount: '10.50' },
      ...{ timeline: [{ step: 10 }, { step: 20, event: 'rejected' }], timelineComplete: false },
    });
    expect(answer.timeline[1]).not.toHaveProperty('reason');
    const status = await call(ingress, `${POST}/${transfer.id}/status`);
    expect([status.status, status.body]).toMatchObject([
      200,
      { status: 'rejected', reason: 'not_processed', updatedAt: answer.updatedAt },
    ]);
  });

  test.each(SPOILED)('is missed where it alone knows: %s', async (text) => {
    const transfer = await aRejectedTransfer();
    await spoil(transfer, 10, text);
    const reply = await call(ingress, `${POST}/${transfer.id}`);
    const answer = transferAnswer.parse(reply.body);
    expect([reply.status, answer.status, answer.amount]).toEqual([200, 'rejected', '10.50']);
    expect([answer.description, answer.timelineComplete]).toEqual([undefined, false]);
  });
});

describe('waiting for the end', () => {
  async function anOpenTransfer(): Promise<string> {
    const reply = await call(ingress, POST, { key: randomUUID(), body: transferBody() });
    return transferAcceptedAnswer.parse(reply.body).transactionId;
  }

  test('answers with the state as it is when the time is over', async () => {
    const id = await anOpenTransfer();
    const reply = await call(ingress, `${POST}/${id}?wait=50ms`);
    expect(transferAnswer.parse(reply.body).status).toBe('requested');
  });

  test('answers when the transfer has ended', async () => {
    const id = await anOpenTransfer();
    const doorbell = createDoorbell({ url: REDIS_URL, log });
    const waiting = call(ingress, `${POST}/${id}?wait=30s`);
    const shard = shards.pools.shards[shardOfSlot(map, slotOfAccount('spec-source'))] as Shard;
    const [requested] = await readTimeline(shard, id);
    const envelope = readEnvelope(requested?.envelope ?? '');
    await expireRequested(shard.store, [envelope], 'spec');
    doorbell.ring(CHANNELS.ended, id);
    expect(transferAnswer.parse((await waiting).body)).toMatchObject({
      status: 'rejected',
      reason: 'not_processed',
      timeline: [{ event: 'requested' }, { event: 'rejected', reason: 'not_processed' }],
    });
    await doorbell.close();
  });

  test('ends when the process stops', async () => {
    const id = await anOpenTransfer();
    const other = await startOn(shards.urls);
    const before = await statementsOf(other);
    const waiting = call(other, `${POST}/${id}?wait=30s`);
    while ((await statementsOf(other)) === before) await new Promise(setImmediate);
    await other.stop();
    expect((await waiting).status).toBe(200);
    await other.done;
  });
});

/** Statements that the process has sent: a waiting request has read its transfer at least once. */
async function statementsOf(running: RunningIngress): Promise<number> {
  const { values } = await running.metrics.sqlStatementsTotal.get();
  return values[0]?.value ?? 0;
}

test.each([
  [`${POST}/${UNKNOWN_ID}?wait=31s`, { pointer: '?wait', max: '30s' }],
  ['/api/v1/accounts/nobody/entries?limit=201', { pointer: '?limit', min: 1, max: 200 }],
])('%s is told the range', async (path, range) => {
  const { errors } = problemOf(await call(ingress, path));
  expect(errors).toEqual([expect.objectContaining({ code: 'out_of_range', ...range })]);
});

describe('an account', () => {
  test('is opened once; the same again answers with it, another one conflicts', async () => {
    const accountId = accountOn(0);
    const body = {
      accountId,
      currency: 'EUR',
      type: 'merchant',
      owner: 'o',
      overdraftLimit: 5,
      metadata: { a: 1 },
    };
    const first = await call(ingress, '/api/v1/accounts', { body });
    expect(first.status).toBe(201);
    expect(first.headers.get('location')).toBe(`/api/v1/accounts/${accountId}`);
    expect(accountAnswer.parse(first.body)).toEqual({
      accountId,
      type: 'merchant',
      owner: 'o',
      status: 'open',
      currency: 'EUR',
      overdraftLimit: '5.00',
      balance: '0.00',
      held: '0.00',
      available: '5.00',
      version: '0',
      metadata: { a: 1 },
    });
    const again = await call(ingress, '/api/v1/accounts', { body });
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await call(ingress, `/api/v1/accounts/${accountId}`)).body).toEqual(first.body);
    const other = await call(ingress, '/api/v1/accounts', { body: { ...body, currency: 'USD' } });
    expect([other.status, problemOf(other).code]).toEqual([409, 'account-conflict']);
  });

  describe.each([
    ['of a given id', () => accountOn(1)],
    ['without an id', () => undefined],
  ])('%s, opened with a key', (_what, accountId) => {
    const openingOf = (fields: Record<string, unknown> = {}): Call => ({
      key: randomUUID(),
      body: { accountId: accountId(), currency: 'EUR', metadata: { a: 1 }, ...fields },
    });
    const again = ({ key, body }: Call, fields: Record<string, unknown> = {}) =>
      call(ingress, ACCOUNTS, { key, body: { ...(body as object), ...fields } });

    test('gives the first answer again, whatever happened since', async () => {
      const sent = openingOf({ overdraftLimit: '5' });
      const first = await call(ingress, ACCOUNTS, sent);
      expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null]);
      await fund(accountAnswer.parse(first.body).accountId, '3');
      const before = await countRows();
      const second = await again(sent, { overdraftLimit: 5 });
      expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
      expect(second.headers.get('location')).toBe(first.headers.get('location'));
      expect(second.body).toEqual(first.body);
      expect(await countRows()).toBe(before);
    });

    test.each<[string, Record<string, unknown>]>([
      ['another currency', { currency: 'USD' }],
      ['other metadata', { metadata: { a: 2 } }],
      ['a default that was not said before', { type: 'customer' }],
      ['another account', { accountId: accountOn(0) }],
    ])('is refused with the same key for %s', async (_difference, fields) => {
      const sent = openingOf();
      await call(ingress, ACCOUNTS, sent);
      const before = await countRows();
      const reused = await again(sent, fields);
      expect([reused.status, problemOf(reused).code]).toEqual([422, 'idempotency-key-reused']);
      expect(await countRows()).toBe(before);
    });

    test('sent many times at once is one account', async () => {
      const before = await countRows(['accounts', 'idempotency_keys']);
      const sent = openingOf();
      const replies = await Promise.all(
        Array.from({ length: 20 }, () => call(ingress, ACCOUNTS, sent)),
      );
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
      expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      const replayed = replies.filter(({ headers }) => headers.has('idempotency-replayed'));
      expect(replayed).toHaveLength(19);
      expect(await countRows(['accounts', 'idempotency_keys'])).toBe(before + 2);
    });

    test('keeps the key from being used for anything else', async () => {
      const sent = openingOf();
      const first = accountAnswer.parse((await call(ingress, ACCOUNTS, sent)).body);
      const funded = await fund(first.accountId, '1', 'deposit', sent.key);
      expect([funded.status, problemOf(funded).code]).toEqual([422, 'idempotency-key-reused']);
      const transfer = transferBody({ sourceAccount: first.accountId });
      const moved = await call(ingress, POST, { key: sent.key, body: transfer });
      expect([moved.status, problemOf(moved).code]).toEqual([422, 'idempotency-key-reused']);
    });
  });

  test.each([
    ['another key', randomUUID()],
    ['no key', undefined],
  ])('that is there is judged by its attributes where %s comes with its id', async (_, key) => {
    const body = { accountId: accountOn(0), currency: 'EUR' };
    await call(ingress, ACCOUNTS, { key: randomUUID(), body });
    await fund(body.accountId, '3');
    const before = await countRows();
    const other = await call(ingress, ACCOUNTS, { key, body: { ...body, owner: 'o' } });
    expect([other.status, problemOf(other).code]).toEqual([409, 'account-conflict']);
    const same = await call(ingress, ACCOUNTS, { key, body });
    expect([same.status, same.headers.get('idempotency-replayed')]).toEqual([200, null]);
    expect(same.body).toMatchObject({ accountId: body.accountId, balance: '3.00' });
    expect(await countRows()).toBe(before);
  });

  test('is not opened with a key that was used before for a transfer', async () => {
    const key = randomUUID();
    const sourceAccount = accountOn(0);
    await call(ingress, POST, { key, body: transferBody({ sourceAccount }) });
    const before = await countRows();
    for (const accountId of [sourceAccount, accountOn(1), undefined]) {
      const reply = await call(ingress, ACCOUNTS, { key, body: { accountId, currency: 'EUR' } });
      expect([reply.status, problemOf(reply).code]).toEqual([422, 'idempotency-key-reused']);
    }
    expect(await countRows()).toBe(before);
  });

  test('without an id and without a key is another one each time', async () => {
    const opened = async (): Promise<string> => {
      const reply = await call(ingress, ACCOUNTS, { body: { currency: 'EUR' } });
      expect(reply.status).toBe(201);
      return accountAnswer.parse(reply.body).accountId;
    };
    expect(await opened()).not.toBe(await opened());
  });

  test('is funded once per key, and tells so in balance, entries and history', async () => {
    const account = await openAccount(1);
    const key = randomUUID();
    const first = await fund(account, '100', 'deposit', key);
    expect(first.status).toBe(201);
    const answer = fundingAnswerBody.parse(first.body);
    expect(answer).toMatchObject({ status: 'committed', amount: '100.00', balance: '100.00' });
    const again = await fund(account, '100.00', 'deposit', key);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
    await fund(account, '30.25', 'withdrawal');
    const balance = await call(ingress, `/api/v1/payments/accounts/${account}/balance`);
    expect(balanceAnswer.parse(balance.body)).toMatchObject({
      balance: '69.75',
      held: '0.00',
      available: '69.75',
      version: '2',
    });
    const entries = await call(ingress, `/api/v1/accounts/${account}/entries`);
    expect(entriesAnswer.parse(entries.body).entries).toMatchObject([
      { entrySeq: '2', amount: '-30.25', balanceAfter: '69.75' },
      {
        entrySeq: '1',
        amount: '100.00',
        balanceAfter: '100.00',
        transactionId: answer.transactionId,
      },
    ]);
    const transfer = await call(ingress, first.headers.get('location') ?? '');
    expect(transferAnswer.parse(transfer.body)).toMatchObject({
      status: 'committed',
      kind: 'funding',
      timelineComplete: true,
    });
  });

  test.each([
    ['beyond what is available', '100.01', 422, 'insufficient-funds'],
    ['of all that is available', '100.00', 201, undefined],
  ])('takes a withdrawal %s', async (_what, amount, status, code) => {
    const account = await openAccount(0);
    await fund(account, '100');
    const before = await countRows();
    const reply = await fund(account, amount, 'withdrawal');
    expect([reply.status, (reply.body as { code?: string }).code]).toEqual([status, code]);
    if (status === 422) expect(await countRows()).toBe(before);
  });

  test('in another currency refuses the funding', async () => {
    const account = await openAccount(0);
    const body = { amount: '1', direction: 'deposit', currency: 'USD' };
    const path = `/api/v1/accounts/${account}/funding`;
    const reply = await call(ingress, path, { key: randomUUID(), body });
    expect([reply.status, problemOf(reply).code]).toEqual([422, 'currency-mismatch']);
  });

  test('pages through its entries without skipping one', async () => {
    const account = await openAccount(1);
    for (let n = 1; n <= 7; n += 1) await fund(account, `${n}`);
    const seen: string[] = [];
    let cursor = '';
    do {
      const path = `/api/v1/accounts/${account}/entries?limit=3${cursor && `&cursor=${cursor}`}`;
      const page = entriesAnswer.parse((await call(ingress, path)).body);
      seen.push(...page.entries.map(({ amount }) => amount));
      cursor = page.nextCursor ?? '';
    } while (cursor);
    expect(seen).toEqual(['7.00', '6.00', '5.00', '4.00', '3.00', '2.00', '1.00']);
    for (const query of ['cursor=x', 'cursor=MQ', 'limit=0', 'limit=201']) {
      const reply = await call(ingress, `/api/v1/accounts/${account}/entries?${query}`);
      expect([query, reply.status]).toEqual([query, 400]);
    }
  });
});

/** The worker's part in a transfer: takes the step that follows on an event of it. */
async function takeStep(id: string, on: { slot: number; step: number }): Promise<void> {
  const shardOf = (slot: number): Shard => shards.pools.shards[shardOfSlot(map, slot)] as Shard;
  const events = await readTimeline(shardOf(on.slot), id);
  const event = events.find(({ step }) => step === on.step);
  const envelope = readEnvelope(event?.envelope ?? '');
  const options = { holdTimeoutMs: 300_000, actor: 'saga' };
  await applySteps(shardOf(actingSlot(envelope)).store, [envelope], options);
}

interface Sides {
  readonly source: string;
  readonly destination: string;
}

async function requestBetween({ source, destination }: Sides): Promise<string> {
  const body = transferBody({ sourceAccount: source, destinationAccount: destination });
  const reply = await call(ingress, POST, { key: randomUUID(), body });
  return transferAcceptedAnswer.parse(reply.body).transactionId;
}

async function openSides(): Promise<Sides> {
  const [source, destination] = [await openAccount(0), await openAccount(1)];
  await fund(source, '1000');
  return { source, destination };
}

function cancelAt(running: RunningIngress, id: string, options: Call = {}): Promise<Reply> {
  return call(running, `${POST}/${id}/cancel`, { method: 'POST', ...options });
}

describe('a cancel', () => {
  let sides: Sides;
  beforeAll(async () => {
    sides = await openSides();
  });

  const hold = (id: string) => takeStep(id, { slot: slotOfAccount(sides.source), step: 10 });
  const credit = (id: string) => takeStep(id, { slot: slotOfAccount(sides.source), step: 20 });

  test.each([
    ['requested', '', `${POST}/`, '/cancel'],
    ['held', 'held', '/api/v1/payments/transactions/', '/cancel'],
  ])('of a %s transfer is its end, and a poll right after it says so', async (...row) => {
    const [, isHeld, before, after] = row;
    const id = await requestBetween(sides);
    if (isHeld) await hold(id);
    const reply = await call(ingress, `${before}${id}${after}`, { method: 'POST' });
    expect(reply.status).toBe(200);
    const answer = cancelAnswer.parse(reply.body);
    expect(answer).toMatchObject({ transactionId: id, reason: 'cancelled_by_client' });
    const poll = transferAnswer.parse((await call(ingress, `${POST}/${id}`)).body);
    expect(poll).toMatchObject({ status: 'cancelled', updatedAt: answer.updatedAt });
    expect(poll.timeline.map(({ event }) => event)).toEqual([
      'requested',
      ...(isHeld ? ['held'] : []),
      'voided',
      'cancelled',
    ]);
    const [near, far] = shards.pools.shards as [Shard, Shard];
    expect(await findHold(near, id)).toBeUndefined();
    expect((await readDecision(far, id))?.decision.outcome).toBe('voided');
    const voided = (await readTimeline(far, id)).find(({ type }) => type === 'voided');
    expect(readEnvelope(voided?.envelope ?? '')).toMatchObject({ actor: 'client:default' });
    // What a worker does about the messages that are still under way changes nothing.
    const written = await countRows();
    await hold(id);
    if (isHeld) await credit(id);
    expect(await countRows()).toBe(written);
  });

  test('that is repeated, with the same key or another, gives the same answer', async () => {
    const id = await requestBetween(sides);
    const key = randomUUID();
    const first = await cancelAt(ingress, id, { key, body: {} });
    const before = await countRows();
    for (const again of [{ key }, { key: randomUUID() }, { body: { idempotencyKey: key } }]) {
      const reply = await cancelAt(ingress, id, again);
      expect([reply.status, reply.body]).toEqual([200, first.body]);
    }
    expect(await countRows()).toBe(before);
  });

  test('that comes after the credit is refused, and the transfer is committed', async () => {
    const id = await requestBetween(sides);
    await hold(id);
    await credit(id);
    for (const _ of [1, 2]) {
      const reply = await cancelAt(ingress, id);
      const problem = problemOf(reply);
      expect([reply.status, problem.code]).toEqual([409, 'transfer-not-cancellable']);
      expect(problem).toMatchObject({ state: 'committed' });
      expect(problem).not.toHaveProperty('reason');
    }
    const poll = await call(ingress, `${POST}/${id}/status`);
    expect(transferStatusAnswer.parse(poll.body).status).toBe('committed');
  });

  test('that comes after a refusal tells the reason', async () => {
    const id = await requestBetween({ ...sides, destination: accountOn(1) });
    await hold(id);
    await credit(id);
    const reply = await cancelAt(ingress, id);
    expect([reply.status, problemOf(reply)]).toMatchObject([
      409,
      { state: 'rejected', reason: 'destination_not_found' },
    ]);
  });

  test('of a funding is refused: it was committed with its request', async () => {
    const reply = await fund(sides.source, '1');
    const { transactionId } = fundingAnswerBody.parse(reply.body);
    const answer = await cancelAt(ingress, transactionId);
    expect([answer.status, problemOf(answer).state]).toEqual([409, 'committed']);
  });

  test('is a POST and nothing else', async () => {
    const reply = await call(ingress, `${POST}/${UNKNOWN_ID}/cancel`);
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('of many transfers, while they are held and credited, agrees with each end', async () => {
    const own = await openSides();
    const ids = await Promise.all(Array.from({ length: 60 }, () => requestBetween(own)));
    const [slot, far] = [slotOfAccount(own.source), slotOfAccount(own.destination)];
    const work = ids.map(async (id, n) => {
      // The cancels come beside the hold, the credit (twice as often) or the commit.
      const beside = [10, 20, 20, 30][n % 4] as number;
      if (beside > 10) await takeStep(id, { slot, step: 10 });
      if (beside > 20) await takeStep(id, { slot, step: 20 });
      const worker = takeStep(id, { slot: beside > 20 ? far : slot, step: beside });
      const replies = await Promise.all([cancelAt(ingress, id), cancelAt(ingress, id), worker]);
      return replies.slice(0, 2) as Reply[];
    });
    const replies = await Promise.all(work);
    const ends = new Map<string, number>();
    for (const [n, id] of ids.entries()) {
      const poll = await call(ingress, `${POST}/${id}`);
      const { status, timeline } = transferAnswer.parse(poll.body);
      ends.set(status, (ends.get(status) ?? 0) + 1);
      const expected = status === 'cancelled' ? 200 : 409;
      expect(replies[n]?.map((reply) => reply.status)).toEqual([expected, expected]);
      const outcome = status === 'cancelled' ? 'voided' : 'credited';
      expect(timeline.filter(({ step }) => step === 30)).toMatchObject([{ event: outcome }]);
      expect(timeline.filter(({ step }) => step === 40)).toMatchObject([{ event: status }]);
    }
    const committed = BigInt(ends.get('committed') ?? 0);
    expect(ends.get('cancelled')).toBeGreaterThanOrEqual(15);
    expect(Number(committed)).toBeGreaterThanOrEqual(15);
    expect((ends.get('cancelled') ?? 0) + Number(committed)).toBe(ids.length);
    const balance = await call(ingress, `/api/v1/accounts/${own.source}/balance`);
    const left = 100_000n - committed * 1_050n;
    const text = `${left / 100n}.${String(left % 100n).padStart(2, '0')}`;
    expect(balanceAnswer.parse(balance.body)).toMatchObject({ balance: text, held: '0.00' });
  });
});

/** A way to a server that can be cut and mended. */
class Cable {
  private readonly sockets = new Set<Socket>();
  private isCut = false;
  private readonly server;

  constructor(to: { host: string; port: number }) {
    this.server = createServer((near) => {
      if (this.isCut) {
        near.destroy();
        return;
      }
      const far = connect(to.port, to.host);
      for (const socket of [near, far]) {
        this.sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
  }

  async plug(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  cut(): void {
    this.isCut = true;
    this.sockets.forEach((socket) => {
      socket.destroy();
    });
  }

  mend(): void {
    this.isCut = false;
  }

  unplug(): void {
    this.cut();
    this.server.close();
  }
}

describe('with one shard away', () => {
  let cable: Cable;
  let half: RunningIngress;

  beforeEach(async () => {
    const url = new URL(shards.urls[1] as string);
    cable = new Cable({ host: url.hostname, port: Number(url.port) });
    url.host = `127.0.0.1:${await cable.plug()}`;
    half = await startOn([shards.urls[0] as string, url.href]);
  });

  afterEach(async () => {
    await half.stop();
    cable.unplug();
  });

  function send(shard: number): Promise<Reply> {
    const body = {
      sourceAccount: accountOn(shard),
      destinationAccount: 'b',
      amount: '1',
      currency: 'EUR',
    };
    return call(half, POST, { key: randomUUID(), body });
  }

  test('the members of a batch that it carries get 503, the others are stored', async () => {
    const member = (shard: number): Record<string, string> => ({
      ...{ idempotencyKey: randomUUID(), sourceAccount: accountOn(shard) },
      ...{ destinationAccount: 'b', amount: '1', currency: 'EUR' },
    });
    cable.cut();
    const body = { transfers: [member(0), member(1), member(0)] };
    const mixed = await call(half, `${POST}/batch`, { body });
    expect(mixed.status).toBe(200);
    const { results } = transferBatchAnswer.parse(mixed.body);
    expect(results.map(({ status }) => status)).toEqual([202, 503, 202]);
    expect(mixed.headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
    const alone = await call(half, `${POST}/batch`, { body: { transfers: [member(1)] } });
    expect([alone.status, problemOf(alone).code]).toEqual([503, 'shard-unavailable']);
    cable.mend();
    await eventuallyTaken(() => call(half, `${POST}/batch`, { body }));
  });

  /** The breaker lets a request through once its time is up. */
  async function eventuallyTaken(send: () => Promise<Reply>): Promise<void> {
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const { results } = transferBatchAnswer.parse((await send()).body);
      if (results.every(({ status }) => status === 202)) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error('the batch was never taken');
  }

  test('its requests get 503 and come again, those of the other shard go on', async () => {
    expect((await send(1)).status).toBe(202);
    cable.cut();
    for (let n = 0; n < 6; n += 1) {
      const [near, far] = await Promise.all([send(0), send(1)]);
      expect(near.status).toBe(202);
      expect([far.status, problemOf(far).code]).toEqual([503, 'shard-unavailable']);
      expect(far.headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
    }
    const ready = await call(half, '/readyz');
    expect([ready.status, ready.body]).toMatchObject([
      200,
      { checks: { 'shard-1': { ok: false } } },
    ]);
    cable.mend();
    let status = 503;
    while (status === 503) status = (await send(1)).status;
    expect(status).toBe(202);
  });

  test('a cancel that cannot fence its destination is asked for again, and then takes place', async () => {
    const id = await requestBetween(await openSides());
    cable.cut();
    const reply = await cancelAt(half, id);
    expect([reply.status, problemOf(reply).code]).toEqual([503, 'shard-unavailable']);
    expect(reply.headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
    expect((await findTransfer(shards.pools.shards[0] as Shard, id))?.state).toBe('requested');
    cable.mend();
    let status = 503;
    while (status === 503) ({ status } = await cancelAt(half, id));
    expect(status).toBe(200);
  });

  test('an ended transfer and the last balance are told from their copies', async () => {
    const account = await openAccount(1);
    const id = composeTransferId(1, slotOfAccount(account), new Uint8Array(8));
    const updatedAt = '2026-01-01T00:00:00.000000Z';
    const copy = { balance: '1234', held: '34', version: '7', currency: 'EUR', updatedAt };
    await redis.client.set(balanceCopyKey(account), JSON.stringify(copy));
    await redis.client.set(
      statusCopyKey(id),
      JSON.stringify({ status: 'rejected', reason: 'source_closed', version: 40, updatedAt }),
    );
    cable.cut();
    const balance = await call(half, `/api/v1/accounts/${account}/balance`);
    expect([balance.status, balance.body]).toEqual([
      200,
      {
        accountId: account,
        balance: '12.34',
        held: '0.34',
        currency: 'EUR',
        version: '7',
        asOf: updatedAt,
        stale: true,
      },
    ]);
    const status = await call(half, `${POST}/${id}/status`);
    expect(transferStatusAnswer.parse(status.body)).toEqual({
      transactionId: id,
      status: 'rejected',
      reason: 'source_closed',
      updatedAt,
    });
    const unknown = await call(half, `/api/v1/accounts/${accountOn(1)}/balance`);
    expect([unknown.status, problemOf(unknown).code]).toEqual([503, 'shard-unavailable']);
    await redis.client.del(balanceCopyKey(account), statusCopyKey(id));
  });

  test('the timeline of the other shard says that it is not complete', async () => {
    const body = {
      sourceAccount: accountOn(0),
      destinationAccount: accountOn(1),
      amount: '1',
      currency: 'EUR',
    };
    const { transactionId } = transferAcceptedAnswer.parse(
      (await call(half, POST, { key: randomUUID(), body })).body,
    );
    cable.cut();
    const reply = await call(half, `${POST}/${transactionId}`);
    expect(transferAnswer.parse(reply.body)).toMatchObject({
      status: 'requested',
      timelineComplete: false,
    });
  });
});

describe('under load', () => {
  test('a full queue turns requests away, and every 202 is stored', async () => {
    const small = await startOn(shards.urls, {
      settings: { SURETY_INGRESS_QUEUE_MAX: '1' },
    });
    try {
      const before = await countRows(['transfers']);
      const replies = await Promise.all(
        Array.from({ length: 200 }, () =>
          call(small, POST, { key: randomUUID(), body: transferBody() }),
        ),
      );
      const accepted = replies.filter(({ status }) => status === 202);
      const refused = replies.filter(({ status }) => status === 503);
      expect(accepted.length + refused.length).toBe(200);
      expect(accepted.length).toBeGreaterThan(0);
      expect(refused.length).toBeGreaterThan(0);
      expect(new Set(refused.map((reply) => problemOf(reply).code))).toEqual(
        new Set(['overloaded']),
      );
      expect(refused.every(({ headers }) => headers.has('retry-after'))).toBe(true);
      expect(await countRows(['transfers'])).toBe(before + accepted.length);
    } finally {
      await small.stop();
    }
  });

  test('a request whose client is gone harms nobody', async () => {
    await new Promise<void>((resolve) => {
      const aborted = httpRequest({
        port: ingress.port,
        host: '127.0.0.1',
        path: POST,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 1000 },
      });
      aborted.on('error', () => {
        resolve();
      });
      aborted.write('{"sourceAccount"', () => aborted.destroy());
    });
    expect((await call(ingress, '/livez')).status).toBe(200);
  });
});
