import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FieldError } from '@surety/contracts';
import { recordedLog } from '@surety/testing/recorded-log';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { answersOn, startOn } from './spec-support.js';
import type { RunningIngress } from './start.js';

const { log, lines } = recordedLog('info');
let shards: TestShards;
let ingress: RunningIngress;

beforeAll(async () => {
  shards = await createTestShards();
  ingress = await startOn(shards.urls, { log });
});
afterAll(async () => {
  await ingress.stop();
  await shards.drop();
});
beforeEach(() => {
  lines.splice(0);
});

interface Document {
  readonly code?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly [name: string]: unknown;
}

interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Document | undefined;
}

/** What comes back for these bytes until the server ends the connection: clients would mend them. */
function exchangeBytes(bytes: string): Promise<string> {
  const socket = connect(ingress.port, '127.0.0.1', () => socket.write(bytes));
  return answersOn(socket);
}

function repliesIn(text: string): Reply[] {
  const replies: Reply[] = [];
  let rest = text;
  while (rest !== '') {
    const [head, tail] = splitOnce(rest, '\r\n\r\n');
    const [first = '', ...fields] = head.split('\r\n');
    const headers = new Map(fields.map((line) => splitOnce(line.toLowerCase(), ': ')));
    const length = Number(headers.get('content-length') ?? 0);
    const body = tail.slice(0, length);
    replies.push({
      status: Number(first.split(' ')[1]),
      headers,
      body: body === '' ? undefined : (JSON.parse(body) as Document),
    });
    rest = tail.slice(length);
  }
  return replies;
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + by.length)];
}

const CLOSE = 'Host: spec\r\nConnection: close\r\n';

async function ask(
  line: string,
  body?: object,
  headers: readonly string[] = [`Idempotency-Key: ${randomUUID()}`],
): Promise<Reply> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const own = body === undefined ? [] : ['Content-Type: application/json', ...headers];
  const fields = own.map((field) => `${field}\r\n`).join('');
  const length = `Content-Length: ${Buffer.byteLength(text)}\r\n`;
  const request = `${line} HTTP/1.1\r\n${CLOSE}${fields}${length}\r\n${text}`;
  const [reply] = repliesIn(await exchangeBytes(request));
  return reply!;
}

function faultsOf({ status, body }: Reply): string {
  const errors = (body?.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`);
  return [status, body?.code, ...errors].join(' ');
}

function aTransfer(fields: object = {}) {
  const parties = { sourceAccount: 'edge-source', destinationAccount: 'edge-destination' };
  return { ...parties, amount: '1', currency: 'EUR', ...fields };
}

describe.each(['.', '..'])('the account id %j, which no path can name', (id) => {
  test.each([
    ['accountId', '/accounts', { accountId: id, currency: 'EUR' }],
    ['sourceAccount', '/transfers', aTransfer({ sourceAccount: id })],
    ['destinationAccount', '/transfers', aTransfer({ destinationAccount: id })],
  ])('is malformed as %s', async (field, path, body) => {
    const reply = await ask(`POST /api/v1${path}`, body);
    expect(faultsOf(reply)).toBe(`400 invalid-request /${field} malformed_identifier`);
  });

  test.each(['', '/balance', '/entries'])('is that of no account at its path%s', async (rest) => {
    expect(faultsOf(await ask(`GET /api/v1/accounts/${id}${rest}`))).toBe('404 account-not-found');
  });

  test('names an owner, which is in no path', async () => {
    const accountId = `edge-${randomUUID()}`;
    const reply = await ask('POST /api/v1/accounts', { accountId, currency: 'EUR', owner: id });
    expect([reply.status, reply.body?.['owner']]).toEqual([201, id]);
  });
});

describe('an idempotency key in two headers', () => {
  test.each([
    ['different', ['Idempotency-Key: a', 'Idempotency-Key: b'], '400 idempotency-key-ambiguous'],
    [
      'of two names',
      ['Idempotency-Key: a', 'X-Idempotency-Key: b'],
      '400 idempotency-key-ambiguous',
    ],
    ['with a space', ['Idempotency-Key: a b'], '400 idempotency-key-invalid'],
  ])('%s', async (_what, headers, expected) => {
    expect(faultsOf(await ask('POST /api/v1/transfers', aTransfer(), headers))).toBe(expected);
  });

  test('that are the same is one key', async () => {
    const header = `Idempotency-Key: ${randomUUID()}`;
    const headers = [header, header];
    expect((await ask('POST /api/v1/transfers', aTransfer(), headers)).status).toBe(202);
    const again = await ask('POST /api/v1/transfers', aTransfer(), [header]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });
});

describe('a body of two media types', () => {
  const KEY = (): string => `Idempotency-Key: ${randomUUID()}`;
  const TEXT = 'Content-Type: text/plain';

  test.each(['/transfers', '/transfers/batch', '/accounts', '/accounts/edge/funding'])(
    'is none that %s reads',
    async (path) => {
      const reply = await ask(`POST /api/v1${path}`, aTransfer(), [TEXT, KEY()]);
      expect(faultsOf(reply)).toBe('415 unsupported-media-type');
    },
  );

  test.each(['application/json', 'application/json; charset=utf-8'])(
    'is read where both say the same: %s',
    async (type) => {
      const headers = [`CONTENT-TYPE: ${type}`, KEY()];
      expect((await ask('POST /api/v1/transfers', aTransfer(), headers)).status).toBe(202);
    },
  );
});

describe('what the parser of HTTP refuses', () => {
  const LARGE = 'x'.repeat(100_000);

  test.each([
    ['garbage', 'garbage\r\n\r\n', 400, 'malformed-request'],
    ['an unknown method', `FETCH / HTTP/1.1\r\n${CLOSE}\r\n`, 400, 'malformed-request'],
    ['another protocol', `GET / HTTP/9.9\r\n${CLOSE}\r\n`, 400, 'malformed-request'],
    ['no host', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
    ['a header without a name', `GET / HTTP/1.1\r\n: x\r\n${CLOSE}\r\n`, 400, 'malformed-request'],
    ['a large header', `GET / HTTP/1.1\r\nX: ${LARGE}\r\n${CLOSE}\r\n`, 431, 'headers-too-large'],
    ['a large address', `GET /${LARGE} HTTP/1.1\r\n${CLOSE}\r\n`, 431, 'headers-too-large'],
    [
      'a body in broken chunks',
      `POST /api/v1/transfers HTTP/1.1\r\n${CLOSE}Content-Type: application/json\r\n` +
        'Transfer-Encoding: chunked\r\n\r\nno size\r\n',
      ...([400, 'malformed-request'] as const),
    ],
  ])('%s is answered with a problem, and the connection ends', async (_what, bytes, ...row) => {
    const [status, code] = row;
    const replies = repliesIn(await exchangeBytes(bytes));
    expect(replies.map((reply) => [reply.status, reply.body?.code])).toEqual([[status, code]]);
    const [{ headers, body }] = replies as [Reply];
    expect(body).toMatchObject({ type: `urn:surety:problem:${code}`, status });
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('connection')).toBe('close');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(lines).toEqual([]);
  });

  test('is answered after what came before it on its connection', async () => {
    const text = JSON.stringify(aTransfer());
    const before =
      'POST /api/v1/transfers HTTP/1.1\r\nHost: spec\r\nContent-Type: application/json\r\n' +
      `Idempotency-Key: ${randomUUID()}\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    const replies = repliesIn(await exchangeBytes(`${before}${before}garbage\r\n\r\n`));
    expect(replies.map(({ status }) => status)).toEqual([202, 202, 400]);
  });

  test('is counted', async () => {
    const counted = async (): Promise<number> => {
      const { values } = await ingress.metrics.errorsTotal.get();
      return values.find(({ labels }) => labels.kind === 'malformed-request')?.value ?? 0;
    };
    const before = await counted();
    await exchangeBytes('garbage\r\n\r\n');
    expect(await counted()).toBe(before + 1);
  });

  test('is not what only expects more than the server knows', async () => {
    const request = `GET /livez HTTP/1.1\r\nExpect: the-unexpected\r\n${CLOSE}\r\n`;
    expect(repliesIn(await exchangeBytes(request))).toMatchObject([{ status: 200 }]);
  });
});

describe('a refusal', () => {
  test.each(['/health', '/livez', '/readyz', '/metrics'])('of POST %s says GET', async (path) => {
    for (const reply of [await ask(`POST ${path}`, {}), await ask(`OPTIONS ${path}`)]) {
      expect(faultsOf(reply)).toBe('405 method-not-allowed');
      expect(reply.headers.get('allow')).toBe('get, head');
    }
    expect((await ask(`HEAD ${path === '/readyz' ? '/livez' : path}`)).status).toBe(200);
  });

  test.each(['/api/v1/accounts/%ff', '/api/v1/transfers/%E0%A4%A', '/%'])(
    'of the address %s is nothing to write of',
    async (path) => {
      expect(faultsOf(await ask(`GET ${path}`))).toBe('404 route-not-found');
      expect(lines).toEqual([]);
    },
  );

  test('of another account with an id that is taken says that it exists', async () => {
    const accountId = `edge-${randomUUID()}`;
    await ask('POST /api/v1/accounts', { accountId, currency: 'EUR' });
    const { body } = await ask('POST /api/v1/accounts', { accountId, currency: 'USD' });
    expect(body).toMatchObject({ code: 'account-conflict' });
    expect(body?.detail).toMatch(/^An account of this id exists /);
  });

  test('of a read says nothing of writing', async () => {
    const { body } = await ask('GET /api/v1/accounts/edge/entries?limit=0');
    expect(body?.detail).toBe('Every wrong query parameter is named in errors.');
  });
});

describe('a query', () => {
  const ID = '00000000-0000-7000-8000-000000000000';
  const TRANSFER = `/api/v1/transfers/${ID}`;
  const ACCOUNT = '/api/v1/accounts/edge';

  test.each([
    [`GET ${TRANSFER}?wiat=10s`, '?wiat unknown_parameter'],
    [`GET ${TRANSFER}?wait=1s&wait=1s`, '?wait duplicate_parameter'],
    [`GET ${TRANSFER}?wait=1s&w=1&w=2`, '?w unknown_parameter'],
    [`GET ${TRANSFER}?wait=1`, '?wait malformed_duration'],
    [`GET ${TRANSFER}?wait=`, '?wait malformed_duration'],
    [`GET ${TRANSFER}?wait=1h`, '?wait malformed_duration'],
    [`GET ${TRANSFER}?wait=%201s`, '?wait malformed_duration'],
    [`GET ${TRANSFER}?wait=010s`, '?wait malformed_duration'],
    [`GET ${TRANSFER}?wait=00s`, '?wait malformed_duration'],
    [`GET ${TRANSFER}?wait=31s`, '?wait out_of_range'],
    [`GET ${TRANSFER}?wait=999999999999m`, '?wait out_of_range'],
    [`GET ${TRANSFER}/status?wait=1s`, '?wait unknown_parameter'],
    [`GET ${ACCOUNT}?limit=1`, '?limit unknown_parameter'],
    [`GET ${ACCOUNT}/balance?a/b=1`, '?a/b unknown_parameter'],
    [`GET ${ACCOUNT}/entries?limit=abc`, '?limit not_an_integer'],
    [`GET ${ACCOUNT}/entries?limit=1.5`, '?limit not_an_integer'],
    [`GET ${ACCOUNT}/entries?limit=`, '?limit not_an_integer'],
    [`GET ${ACCOUNT}/entries?limit=05`, '?limit not_an_integer'],
    [`GET ${ACCOUNT}/entries?limit=00`, '?limit not_an_integer'],
    [`GET ${ACCOUNT}/entries?limit=-0`, '?limit not_an_integer'],
    [`GET ${ACCOUNT}/entries?limit=-1`, '?limit out_of_range'],
    [`GET ${ACCOUNT}/entries?limit=0`, '?limit out_of_range'],
    [`GET ${ACCOUNT}/entries?limit=201`, '?limit out_of_range'],
    [`GET ${ACCOUNT}/entries?limit=${'9'.repeat(20)}`, '?limit out_of_range'],
    [`GET ${ACCOUNT}/entries?cursor=x&limit=0`, '?cursor malformed_cursor ?limit out_of_range'],
    [`GET ${ACCOUNT}/entries?__proto__=1`, '?__proto__ unknown_parameter'],
    ['POST /api/v1/transfers?dryRun=true', '?dryRun unknown_parameter'],
    [`POST ${ACCOUNT}/funding?x=1`, '?x unknown_parameter'],
  ])('of %s is wrong: %s', async (line, faults) => {
    const reply = await ask(line, line.startsWith('POST') ? aTransfer() : undefined);
    expect(faultsOf(reply)).toBe(`400 invalid-request ${faults}`);
  });

  test('is looked at only where the method is known', async () => {
    expect(faultsOf(await ask('DELETE /api/v1/transfers?x=1'))).toBe('405 method-not-allowed');
  });

  test('that is empty is none', async () => {
    expect((await ask('POST /api/v1/transfers?', aTransfer())).status).toBe(202);
  });

  test('of many unknown parameters is told of the first ones', async () => {
    const query = Array.from({ length: 500 }, (_, at) => `p${at}=1`).join('&');
    const { body } = await ask(`GET ${ACCOUNT}?${query}`);
    expect(body?.errors).toHaveLength(32);
  });

  test('does not carry the cursor of another account', async () => {
    const [first, second] = [`edge-${randomUUID()}`, `edge-${randomUUID()}`];
    for (const accountId of [first, second]) {
      await ask('POST /api/v1/accounts', { accountId, currency: 'EUR' });
      for (const amount of ['1', '2']) {
        const deposit = { amount, direction: 'deposit' };
        await ask(`POST /api/v1/accounts/${accountId}/funding`, deposit);
      }
    }
    const entries = (account: string, query: string) =>
      ask(`GET /api/v1/accounts/${account}/entries?limit=1${query}`);
    const cursor = `&cursor=${(await entries(first, '')).body?.['nextCursor'] as string}`;
    const own = await entries(first, cursor);
    expect(own.body).toMatchObject({ entries: [{ entrySeq: '1' }] });
    const other = await entries(second, cursor);
    expect(faultsOf(other)).toBe('400 invalid-request ?cursor malformed_cursor');
  });
});
