import { describe, expect, it } from '@jest/globals';
import { currencyTable } from '@surety/domain';
import { IncomingMessage } from 'node:http';
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Exchange } from './exchange.js';
import { postTransferBatch } from './post-transfer-batch.js';
import { postTransfer } from './post-transfer.js';
import type { PostTransferDependencies } from './post-transfer.js';
import { TURNED_AWAY } from './problem.js';

/** A request whose body is no JSON: whoever looks into it complains of that. */
function exchangeOf(body: string): Exchange {
  const request = new IncomingMessage(new Socket());
  request.headers = { 'content-type': 'application/json' };
  request.push(body);
  request.push(null);
  return { request, response: {} as ServerResponse, traceparent: '' };
}

/** Doors of which those of these destinations are full; undefined: all are. */
function dependencies(full?: readonly string[]): PostTransferDependencies {
  const doors = {
    areCrowded: () => full === undefined,
    isFull: (destination: string) => full?.includes(destination) ?? true,
  };
  return { doors } as unknown as PostTransferDependencies;
}

describe.each([
  ['a transfer', postTransfer],
  ['a batch', postTransferBatch],
])('%s', (_, handlerOf) => {
  it('is turned away before its body is looked into, which was read all the same', async () => {
    const exchange = exchangeOf('{');
    await expect(handlerOf(dependencies())(exchange)).rejects.toBe(TURNED_AWAY);
    expect(exchange.request.readableEnded).toBe(true);
  });

  it('is looked into where there is room', async () => {
    const handler = handlerOf(dependencies([]));
    await expect(handler(exchangeOf('{'))).rejects.toMatchObject({ code: 'malformed-json' });
  });
});

describe('a transfer', () => {
  it.each([
    ['{"destinationAccount":"full"}', 'overloaded'],
    ['{"destinationAccount":"free"}', 'invalid-request'],
    ['{"destinationAccount":1}', 'invalid-request'],
    ['null', 'invalid-request'],
  ])('to a door that is full is not checked: %s is %s', async (body, code) => {
    const handler = postTransfer(dependencies(['full']));
    await expect(handler(exchangeOf(body))).rejects.toMatchObject({ code });
  });

  it('is turned away where every door is crowded, though there is room left', async () => {
    const doors = { areCrowded: () => true, isFull: () => false };
    const handler = postTransfer({ doors } as unknown as PostTransferDependencies);
    await expect(handler(exchangeOf('{'))).rejects.toBe(TURNED_AWAY);
  });

  it.each([
    [{ 'content-type': 'application/json', 'content-length': '1' }, true],
    [{ 'content-type': 'application/json', 'content-length': '65536' }, true],
    [{ 'content-type': 'application/json', 'content-length': '65537' }, false],
    [{ 'content-type': 'application/json', 'transfer-encoding': 'chunked' }, false],
    [{ 'content-type': 'text/plain', 'content-length': '1' }, false],
    [
      {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'content-length': '1',
      },
      false,
    ],
  ])('with headers %j is turned away by them alone: %s', (headers, isTurnedAway) => {
    const { request } = exchangeOf('{');
    request.headers = headers;
    expect(postTransfer(dependencies()).turnsAway?.(request)).toBe(isTurnedAway);
    expect(postTransfer(dependencies([])).turnsAway?.(request)).toBe(false);
  });
});

describe('a member of a batch', () => {
  const member = { sourceAccount: 'a', destinationAccount: 'b', amount: '1.00', currency: 'EUR' };

  it('without a key is told of its field: the header is not read here', async () => {
    const handler = postTransferBatch({
      doors: { areCrowded: () => false, requestTransfers: () => Promise.resolve([]) },
      keyMemory: { rememberAll: () => Promise.resolve([]) },
      currencies: currencyTable([]),
    } as unknown as PostTransferDependencies);
    const exchange = exchangeOf(JSON.stringify({ transfers: [member] }));
    exchange.request.headers['idempotency-key'] = 'of-the-request';
    const { status, body } = await handler(exchange);
    expect(status).toBe(200);
    const { results } = JSON.parse(body) as { results: unknown[] };
    expect(results).toEqual([
      {
        status: 400,
        problem: expect.objectContaining({
          code: 'idempotency-key-missing',
          detail: expect.stringMatching(/^Give the member its own field idempotencyKey/),
        }),
      },
    ]);
  });
});
