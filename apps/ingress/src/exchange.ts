import type { IncomingMessage, ServerResponse } from 'node:http';
import { ACCOUNT_ID, parseTransferId } from '@surety/domain';
import type { AccountId, TransferId } from '@surety/domain';
import { newTraceparent, parseTraceparent } from '@surety/runtime';
import type { Answer } from './answer.js';
import { Problem } from './problem.js';

/** Until authentication comes, everything belongs to one tenant. */
export const TENANT = 'default';
export const ACTOR = `client:${TENANT}`;

/** What the router has found out about a request; nothing where it was not asked. */
export interface RoutedRequest extends IncomingMessage {
  readonly params?: Readonly<Record<string, string | string[] | undefined>>;
  /** By name: the value, or all of them where the parameter comes more than once. */
  readonly query?: Readonly<Record<string, unknown>>;
}

/** One request on its way to its answer. */
export interface Exchange {
  readonly request: RoutedRequest;
  readonly response: ServerResponse;
  /** W3C trace context: the client's, or begun here. */
  readonly traceparent: string;
  /** Known once the request has made or named a transfer; for log lines. */
  transferId?: TransferId;
  /** Problems of single members of a request whose answer as a whole is none; for log lines. */
  memberProblems?: readonly Problem[];
}

export interface Handler {
  (exchange: Exchange): Promise<Answer>;
  /** Whether this request, whose body has come, would be answered TURNED_AWAY whatever the body says. */
  readonly turnsAway?: (request: IncomingMessage) => boolean;
  /** Whether it judges the query itself; where it does not, any query is refused. */
  readonly readsQuery?: true;
}

export function openExchange(request: RoutedRequest, response: ServerResponse): Exchange {
  return new OpenExchange(request, response);
}

class OpenExchange implements Exchange {
  readonly request: RoutedRequest;
  readonly response: ServerResponse;
  transferId?: TransferId;
  memberProblems?: readonly Problem[];
  private trace: string | undefined;

  constructor(request: RoutedRequest, response: ServerResponse) {
    this.request = request;
    this.response = response;
  }

  /** Made when it is first asked for: most reads never need one, and its randomness costs. */
  get traceparent(): string {
    this.trace ??= this.givenTraceparent() ?? newTraceparent();
    return this.trace;
  }

  private givenTraceparent(): string | undefined {
    const header = this.request.headers['traceparent'];
    return typeof header === 'string' ? parseTraceparent(header) : undefined;
  }
}

function pathParameter(exchange: Exchange): string {
  const id = exchange.request.params?.['id'];
  return typeof id === 'string' ? id : '';
}

/** @throws Problem transfer-not-found: an id that is malformed cannot be that of a transfer */
export function transferIdOf(exchange: Exchange): TransferId {
  const id = parseTransferId(pathParameter(exchange));
  if (id === undefined) throw new Problem('transfer-not-found');
  exchange.transferId = id;
  return id;
}

/** @throws Problem account-not-found: an id that is malformed cannot be that of an account */
export function accountIdOf(exchange: Exchange): AccountId {
  const id = pathParameter(exchange);
  if (!ACCOUNT_ID.test(id)) throw new Problem('account-not-found');
  return id;
}
