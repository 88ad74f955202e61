import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ProblemCode } from '@surety/contracts';
import { refuseUnreadable } from './parser-refusal.js';

/** Bounds a client that sends its request a byte at a time. */
const REQUEST_TIMEOUT_MS = 20_000;
/** Node looks only twice a minute by itself: the answer would come up to 30 s late. */
const LOOK_FOR_LATE_EVERY_MS = 1_000;
/** Longer than the idle time-out of usual proxies, so that they close first. */
const KEEP_ALIVE_MS = 75_000;
/** While closing, connections whose last answer has left are looked for this often. */
const CLOSE_IDLE_EVERY_MS = 50;

export interface HttpServer {
  readonly port: number;
  /** Takes no more connections; resolves when every request in hand is answered. */
  close(): Promise<void>;
}

/** @throws the listen error, for example EADDRINUSE */
export async function startHttpServer(options: {
  readonly host: string;
  readonly port: number;
  readonly app: RequestListener;
  /** Told of requests that cannot be read, and so never come to the application. */
  readonly refused: (code: ProblemCode) => void;
}): Promise<HttpServer> {
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: LOOK_FOR_LATE_EVERY_MS,
      // Node's own answers have no body: the application looks for the header, and an expectation
      // that is not known may be ignored (RFC 9110, section 10.1.1).
      requireHostHeader: false,
    },
    options.app,
  );
  server.on('checkExpectation', options.app);
  server.on('clientError', (error, socket) => {
    refuseUnreadable(error, socket, options.refused);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      server.closeIdleConnections();
    }, CLOSE_IDLE_EVERY_MS);
    server.close(() => {
      clearInterval(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
