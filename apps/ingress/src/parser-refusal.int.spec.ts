import { createServer } from 'node:http';
import type {
  IncomingMessage,
  RequestListener,
  Server,
  ServerOptions,
  ServerResponse,
} from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { refuseUnreadable } from './parser-refusal.js';
import { answersOn } from './spec-support.js';

const told: string[] = [];
let server: Server;

beforeEach(() => {
  told.length = 0;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function listen(app: RequestListener, options: ServerOptions = {}): Promise<number> {
  server = createServer(options, app);
  server.on('clientError', (error, socket) => {
    refuseUnreadable(error, socket, (code) => told.push(code));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const first: RequestListener = (_request, response) => response.end('first');
const REQUEST = 'GET / HTTP/1.1\r\nHost: spec\r\n\r\n';
const STATUS_LINE = /HTTP\/1\.1 (\d+)/g;

function statusesIn(text: string): string[] {
  return [...text.matchAll(STATUS_LINE)].map(([, status]) => status as string);
}

describe('what cannot be read', () => {
  test('is a request that is not complete in time', async () => {
    const timeouts = { requestTimeout: 50, headersTimeout: 50, connectionsCheckingInterval: 20 };
    const socket = connect(await listen(first, timeouts), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n');
    expect(await answersOn(socket)).toMatch(
      /^HTTP\/1\.1 408 Request Timeout\r\n[^]*"code":"request-timeout"/,
    );
    expect(told).toEqual(['request-timeout']);
  });

  test('waits for the answer to the request before it', async () => {
    const open: ServerResponse[] = [];
    const port = await listen((_request, response) => open.push(response));
    const socket = connect(port, '127.0.0.1');
    const answers = answersOn(socket);
    socket.write(`${REQUEST}garbage\r\n\r\n`);
    while (told.length === 0) await new Promise(setImmediate);
    open[0]!.end('first');
    const text = await answers;
    expect(statusesIn(text)).toEqual(['200', '400']);
    expect(text.indexOf('first')).toBeLessThan(text.indexOf('malformed-request'));
  });

  test('is told of once, and answered once, however much of it comes', async () => {
    const socket = connect(await listen(first), '127.0.0.1');
    const answers = answersOn(socket);
    for (let n = 0; n < 50; n += 1) {
      await new Promise<void>((resolve) =>
        socket.write('garbage\r\n'.repeat(1_000), () => resolve()),
      );
    }
    expect(statusesIn(await answers)).toEqual(['400']);
    expect(told).toEqual(['malformed-request']);
  });

  test('is nothing where the connection itself has failed', async () => {
    const open: IncomingMessage[] = [];
    const port = await listen((request) => open.push(request));
    const socket = connect(port, '127.0.0.1');
    socket.write(REQUEST);
    while (open.length === 0) await new Promise(setImmediate);
    const closed = new Promise((resolve) => open[0]!.socket.once('close', resolve));
    socket.resetAndDestroy();
    await closed;
    expect(told).toEqual([]);
  });
});
