import { describe, expect, it } from '@jest/globals';
import { currencyTable } from '@surety/domain';
import { QueueFullError } from '@surety/runtime';
import { IncomingMessage } from 'node:http';
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Exchange } from './exchange.js';
import { postTransferBatch } from './post-transfer-batch.js';
import { postTransfer } from './post-transfer.js';
import type { PostTransferDependencies } from './post-transfer.js';

/** A request whose body is no JSON: whoever looks into it complains of that. */
function exchangeOf(body: string): Exchange {
  const request = new IncomingMessage(new Socket());
  request.headers = { 'content-type': 'application/json' };
  request.push(body);
  request.push(null);
  return { request, response: {} as ServerResponse, traceparent: '' };
}

function dependencies(turnAway: () => void): PostTransferDependencies {
  return { doors: { turnAway } } as unknown as PostTransferDependencies;
}

describe.each([
  ['a transfer', postTransfer],
  ['a batch', postTransferBatch],
])('%s', (_, handlerOf) => {
  it('is turned away before its body is looked into, which was read all the same', async () => {
    const full = new QueueFullError('full');
    const exchange = exchangeOf('{');
    const turnAway = (): void => {
      throw full;
    };
    await expect(handlerOf(dependencies(turnAway))(exchange)).rejects.toBe(full);
    expect(exchange.request.readableEnded).toBe(true);
  });

  it('is looked into where there is room', async () => {
    const handler = handlerOf(dependencies(() => undefined));
    await expect(handler(exchangeOf('{'))).rejects.toMatchObject({ code: 'malformed-json' });
  });
});

describe('a member of a batch', () => {
  const member = { sourceAccount: 'a', destinationAccount: 'b', amount: '1.00', currency: 'EUR' };

  it('without a key is told of its field: the header is not read here', async () => {
    const handler = postTransferBatch({
      doors: { turnAway: () => undefined, requestTransfers: () => Promise.resolve([]) },
      keyMemory: { belongHere: () => Promise.resolve([]) },
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
