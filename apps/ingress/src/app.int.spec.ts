import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createMetrics, healthRouter } from '@surety/runtime';
import type { Logger } from '@surety/runtime';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { jsonAnswer } from './answer.js';
import { createApp } from './app.js';
import type { Exchange, Handler } from './exchange.js';
import { startHttpServer } from './http-server.js';
import type { HttpServer } from './http-server.js';
import { BODY_BYTES_MAX, readJson } from './read-json.js';
import { startOn } from './spec-support.js';
import type { RunningIngress } from './start.js';

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

interface Reply {
  readonly status: number | undefined;
  /** In their order, names as sent. */
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string;
}

function send(port: number, path: string, sent: Sent): Promise<Reply> {
  const { method = 'POST', text = '' } = sent;
  const headers = { 'content-type': 'application/json', ...sent.headers };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, path, method, headers, host: '127.0.0.1' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { rawHeaders: raw, statusCode: status } = response;
        const names = raw.filter((_, at) => at % 2 === 0);
        const pairs = names.map((name, at) => [name, raw[2 * at + 1] as string] as const);
        resolve({ status, headers: pairs, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    request.on('error', reject);
    request.end(text);
  });
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g;
const DATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;

/** What two answers to the same words have in common: everything but ids and times. */
function shapeOf({ status, headers, text }: Reply): object {
  const masked = (value: string): string =>
    value.replace(ID, 'ID').replace(TIME, 'TIME').replace(DATE, 'DATE');
  return {
    status,
    headers: headers.map(([name, value]) => [name, masked(value)]),
    text: masked(text),
  };
}

/** Sends the same by the direct way and through the router. Gives the direct answer. */
async function bothWays(port: number, path: string, sent: () => Sent): Promise<Reply> {
  const direct = await send(port, path, sent());
  const routed = await send(port, `${path}?`, sent());
  expect(shapeOf(routed)).toEqual(shapeOf(direct));
  return direct;
}

describe('the API', () => {
  let shards: TestShards;
  let ingress: RunningIngress;

  beforeAll(async () => {
    shards = await createTestShards({ count: 2 });
    ingress = await startOn(shards.urls);
  });
  afterAll(async () => {
    await ingress.stop();
    await shards.drop();
  });

  const transfer = (fields: Readonly<Record<string, unknown>> = {}): string => {
    const accounts = { sourceAccount: 'ways-source', destinationAccount: 'ways-destination' };
    return JSON.stringify({ ...accounts, amount: '10.50', currency: 'EUR', ...fields });
  };
  const withKey = (text: string, headers: Readonly<Record<string, string>> = {}): Sent => ({
    text,
    headers: { 'idempotency-key': randomUUID(), ...headers },
  });
  const used = randomUUID();
  const batchOf = (...members: readonly object[]): Sent => ({
    text: JSON.stringify({ transfers: members }),
  });
  const member = (fields: object): object =>
    Object.assign({}, JSON.parse(transfer()) as object, fields);

  const transferCases: readonly (readonly [string, number, () => Sent])[] = [
    ['a transfer', 202, () => withKey(transfer({ description: 'é', metadata: { a: 1 } }))],
    [
      'one that asks for the end of its connection',
      202,
      () => withKey(transfer(), { connection: 'close' }),
    ],
    ['one in chunks', 202, () => withKey(transfer(), { 'transfer-encoding': 'chunked' })],
    [
      'one with a trace',
      202,
      () => withKey(transfer(), { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }),
    ],
    ['a replay', 202, () => ({ text: transfer(), headers: { 'idempotency-key': used } })],
    [
      'a key of another request',
      422,
      () => ({ text: transfer({ amount: '1' }), headers: { 'idempotency-key': used } }),
    ],
    ['no key', 400, () => ({ text: transfer() })],
    ['a bad key', 400, () => withKey(transfer(), { 'idempotency-key': 'a b' })],
    ['no JSON', 400, () => withKey('{"amount":')],
    ['nothing at all', 400, () => withKey('')],
    ['wrong fields', 400, () => withKey(transfer({ amount: '0', amuont: 1 }))],
    ['another media type', 415, () => withKey(transfer(), { 'content-type': 'text/plain' })],
    ['too much', 413, () => withKey(transfer({ description: 'x'.repeat(BODY_BYTES_MAX) }))],
    ['a method that is not there', 405, () => ({ method: 'DELETE' })],
    ['a GET', 405, () => ({ method: 'GET' })],
    ['a HEAD', 405, () => ({ method: 'HEAD' })],
    ['a form of the method that is none', 405, () => ({ method: 'PATCH', text: transfer() })],
  ];

  beforeEach(async () => {
    await send(ingress.port, '/api/v1/transfers', {
      text: transfer(),
      headers: { 'idempotency-key': used },
    });
  });

  describe.each(['/api/v1/transfers', '/api/v1/payments/transfer'])('at %s', (path) => {
    test.each(transferCases)('answers %s with %i by both ways', async (_what, status, sent) => {
      expect((await bothWays(ingress.port, path, sent)).status).toBe(status);
    });
  });

  test.each<[string, number, () => Sent]>([
    ['a batch', 200, () => batchOf(member({ idempotencyKey: randomUUID() }), member({}), {})],
    ['an empty batch', 400, () => batchOf()],
    ['a single transfer', 400, () => withKey(transfer())],
  ])('answers %s at the door of batches with %i by both ways', async (_what, status, sent) => {
    const reply = await bothWays(ingress.port, '/api/v1/transfers/batch', sent);
    expect(reply.status).toBe(status);
  });

  test('opens accounts by both ways', async () => {
    const sent = (): Sent => ({ text: '{"accountId":"ways-account","currency":"EUR"}' });
    await send(ingress.port, '/api/v1/accounts', sent());
    const reply = await bothWays(ingress.port, '/api/v1/accounts', sent);
    expect(reply.status).toBe(200);
    expect((await bothWays(ingress.port, '/api/v1/accounts', () => ({ text: '[]' }))).status).toBe(
      400,
    );
  });

  test('keeps connections open, and says so, as it says the date', async () => {
    const reply = await send(ingress.port, '/api/v1/transfers', withKey(transfer()));
    const headers = new Map(reply.headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect(Date.parse(headers.get('date') ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect(headers.get('content-length')).toBe(String(Buffer.byteLength(reply.text)));
    expect(headers.size).toBe(reply.headers.length);
  });
});

describe('the two ways of an application', () => {
  const lines: object[] = [];
  let isStopping = false;
  let server: HttpServer;
  let seen: Exchange | undefined;

  const log = {
    isDebugEnabled: () => true,
    debug: (message: string, fields: object) => lines.push({ message, ...fields }),
    error: (message: string, fields: object) => lines.push({ message, ...fields }),
  } as unknown as Logger;
  const echo: Handler = async (exchange) => {
    seen = exchange;
    return jsonAnswer(200, { sent: await readJson(exchange.request) }, { 'x-own': 'yes' });
  };
  const stopped: Handler = (exchange) => {
    isStopping = true;
    return echo(exchange);
  };
  const broken: Handler = () => Promise.reject(new Error('unforeseen'));

  beforeAll(async () => {
    const metrics = createMetrics('ingress');
    const app = createApp({
      routes: [
        { path: '/plain', methods: { POST: echo } },
        { path: '/stopped', methods: { POST: stopped } },
        { path: '/broken', methods: { POST: broken } },
      ],
      health: healthRouter({
        checks: {},
        metrics,
        isStopping: () => isStopping,
      }),
      ...{ log, metrics, isStopping: () => isStopping },
    });
    server = await startHttpServer({ host: '127.0.0.1', port: 0, app, refused: () => undefined });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    isStopping = false;
    lines.length = 0;
  });

  test('differ in the router alone', async () => {
    await send(server.port, '/plain', { text: '1' });
    expect(seen?.request.params).toBeUndefined();
    await send(server.port, '/plain?', { text: '1' });
    expect(seen?.request.params).toBeDefined();
  });

  // A gateway's rule for a path means that spelling of it, and all that decides who may do what.
  test.each(['/PLAIN', '/plain/', '/METRICS', '/metrics/', '/Livez', '//plain'])(
    'are for one spelling of a path: %s is none',
    async (path) => {
      const reply = await send(server.port, path, { text: '{}' });
      expect([reply.status, JSON.parse(reply.text)]).toMatchObject([
        404,
        { code: 'route-not-found' },
      ]);
    },
  );

  test.each([
    ['/plain', '{"a":[1]}', 200],
    ['/plain', 'no', 400],
    ['/broken', '{}', 500],
  ])('answer and log the same: %s with %s is %i', async (path, text, status) => {
    const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    const reply = await bothWays(server.port, path, () => ({ text, headers: trace }));
    expect(reply.status).toBe(status);
    const said = lines.map((line) =>
      JSON.stringify({ ...line, durationMs: 0, error: '' }).toLowerCase(),
    );
    const requests = said.filter((line) => line.includes('"request"'));
    expect(requests).toHaveLength(2);
    expect(new Set(requests).size).toBe(1);
    expect(said.filter((line) => line.includes('a request failed'))).toHaveLength(
      status === 500 ? 2 : 0,
    );
  });

  test('turn away and end the connection while the process stops', async () => {
    isStopping = true;
    const reply = await bothWays(server.port, '/plain', () => ({ text: '{}' }));
    expect(reply.status).toBe(503);
    expect(reply.headers).toContainEqual(['connection', 'close']);
  });

  test('end the connection of a request that was under way when the stop began', async () => {
    const reply = await bothWays(server.port, '/stopped', () => {
      isStopping = false;
      return { text: '{}' };
    });
    expect(reply.status).toBe(200);
    expect(reply.headers).toContainEqual(['connection', 'close']);
  });
});
