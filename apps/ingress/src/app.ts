import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express from 'express';
import type { Express, NextFunction, Request, Response, Router } from 'express';
import { HEALTH_PATHS, traceIdOf } from '@surety/runtime';
import type { Logger, Metrics } from '@surety/runtime';
import { SECURITY_HEADERS, prepare, send, sendPrepared } from './answer.js';
import { openExchange } from './exchange.js';
import type { Exchange, Handler, RoutedRequest } from './exchange.js';
import { FailureLog } from './failure-log.js';
import { Problem, TURNED_AWAY, answerOfProblem, problemOf } from './problem.js';
import { withoutQuery } from './query.js';
import { ClientGone } from './read-json.js';

export interface Route {
  /** As Express reads it; one without parameters comes before patterns that would match it. */
  readonly path: string;
  readonly methods: Readonly<Partial<Record<'GET' | 'POST', Handler>>>;
}

export interface AppOptions {
  /** Those that are asked for most often come first: the router tries them in this order. */
  readonly routes: readonly Route[];
  readonly health: Router;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly isStopping: () => boolean;
}

/** A path that stands for itself alone. */
const PLAIN_PATH = /^[\w/.-]+$/;

/**
 * The HTTP application: every route, and a problem document for everything else.
 *
 * A request that names a plain path exactly goes to its handler directly. Whatever else comes goes
 * through Express, which gives the same answers; it is passed by because it changes the prototypes
 * of each request and response, which slows down all that touches them afterwards.
 */
export function createApp(options: AppOptions): RequestListener {
  const edge = new Edge(options);
  const routed = createRouter(options, edge);
  const plain = new Map(
    options.routes
      .filter(({ path }) => PLAIN_PATH.test(path))
      .map(({ path, methods }) => [path, methods]),
  );
  return (request, response) => {
    if (lacksHost(request)) {
      void edge.serve(request, response, hostMissing);
      return;
    }
    const handler = handlerOf(plain.get(request.url ?? ''), request.method);
    if (handler?.turnsAway?.(request)) edge.turnAway(request, response, handler);
    else if (handler) void edge.serve(request, response, handler);
    else routed(request, response);
  };
}

/** A request of HTTP/1.1 without a host is refused (RFC 9112, section 3.2). */
function lacksHost({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion === '1.1';
}

function handlerOf(
  methods: Route['methods'] | undefined,
  name: string | undefined,
): Handler | undefined {
  return name === 'GET' || name === 'POST' ? methods?.[name] : undefined;
}

function strictHandlerOf(methods: Route['methods'], name: string): Handler {
  const handler = handlerOf(methods, name);
  if (!handler) return notAllowed;
  return handler.readsQuery === true ? handler : withoutQuery(handler);
}

function createRouter(options: AppOptions, edge: Edge): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  // One spelling of each path: a rule of a gateway before this one means no other.
  app.enable('case sensitive routing');
  app.enable('strict routing');
  for (const { path, methods } of options.routes) {
    const allow = allowedMethods(methods);
    app.all(path, (request, response) => {
      const name = request.method === 'HEAD' ? 'GET' : request.method;
      void edge.serve(request, response, strictHandlerOf(methods, name), { allow });
    });
  }
  app.use((_request, response, next) => {
    response.set(SECURITY_HEADERS);
    next();
  });
  // Before the answers: Express would answer OPTIONS to what it has a GET for by itself.
  app.all([...HEALTH_PATHS], (request, response, next) => {
    if (READ_METHODS.includes(request.method)) next();
    else void edge.serve(request, response, notAllowed, { allow: READ_METHODS.join(', ') });
  });
  app.use(options.health);
  app.use((request, response) => {
    void edge.serve(request, response, nothingHere);
  });
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    void edge.serve(request, response, () => Promise.reject(asError(error)));
  });
  return app;
}

/** Whoever answers a GET answers a HEAD. */
const READ_METHODS = ['GET', 'HEAD'];

function allowedMethods(methods: Route['methods']): string {
  return Object.keys(methods)
    .flatMap((name) => (name === 'GET' ? READ_METHODS : [name]))
    .join(', ');
}

const HOST_MISSING = 'A request of HTTP/1.1 names its host (RFC 9112, section 3.2).';
const notAllowed: Handler = () => Promise.reject(new Problem('method-not-allowed'));
const hostMissing: Handler = () =>
  Promise.reject(new Problem('malformed-request', { detail: HOST_MISSING }));
const nothingHere: Handler = () => Promise.reject(new Problem('route-not-found'));

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

const TURNED_AWAY_ANSWER = prepare(answerOfProblem(TURNED_AWAY), false);

/** Where handlers end and the wire begins: answers, problems, log lines. */
class Edge {
  private readonly options: AppOptions;
  private readonly failures: FailureLog;
  private readonly isDebug: boolean;

  constructor(options: AppOptions) {
    this.options = options;
    this.failures = new FailureLog(options.log, options.metrics);
    this.isDebug = options.log.isDebugEnabled();
  }

  /**
   * Answers without a handler, for a fraction of what one costs. A body that comes with its headers
   * is there by the end of this turn of the event loop (a tick is too soon: the parser has not ended
   * the message), and is thrown away unread. One that comes later is waited for, so that the client
   * has finished sending.
   */
  turnAway(request: RoutedRequest, response: ServerResponse, handler: Handler): void {
    setImmediate(() => {
      // Gone in between, which request and response are told only after this: nobody is to be answered.
      if (request.socket.destroyed) return;
      if (this.isDebug || this.options.isStopping() || !request.complete) {
        void this.serve(request, response, handler);
        return;
      }
      this.refuse(openExchange(request, response), TURNED_AWAY, {});
    });
  }

  async serve(
    request: RoutedRequest,
    response: ServerResponse,
    handler: Handler,
    problemHeaders: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const startedAtMs = this.isDebug ? performance.now() : 0;
    const exchange = openExchange(request, response);
    const { isStopping } = this.options;
    try {
      if (isStopping()) throw new Problem('stopping');
      send(response, await handler(exchange), isStopping());
      exchange.memberProblems?.forEach((problem) => {
        this.failures.record(problem, exchange);
      });
    } catch (error) {
      if (error instanceof ClientGone) return;
      this.refuse(exchange, problemOf(error), problemHeaders);
    }
    if (this.isDebug) this.logRequest(exchange, performance.now() - startedAtMs);
  }

  private refuse(
    exchange: Exchange,
    problem: Problem,
    problemHeaders: Readonly<Record<string, string>>,
  ): void {
    const { request, response } = exchange;
    // What was not read of a refused body would be taken for the next request.
    const isClosing = this.options.isStopping() || !request.complete;
    if (problem === TURNED_AWAY && !isClosing) {
      sendPrepared(response, TURNED_AWAY_ANSWER);
    } else {
      const headers = problem.code === 'method-not-allowed' ? { ...problemHeaders } : {};
      send(response, answerOfProblem(problem, headers), isClosing);
    }
    this.failures.record(problem, exchange);
  }

  private logRequest(exchange: Exchange, durationMs: number): void {
    const { request, response, transferId, traceparent } = exchange;
    this.options.log.debug('request', {
      method: request.method,
      path: request.url?.split('?')[0],
      status: response.statusCode,
      durationMs: Math.round(durationMs * 100) / 100,
      transferId,
      traceId: traceIdOf(traceparent),
    });
  }
}
