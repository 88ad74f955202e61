import type { ServerResponse } from 'node:http';
import { PROBLEM_MEDIA_TYPE } from '@surety/contracts';
import type { ProblemDocument } from '@surety/contracts';

/** A finished answer: `body` is the encoded document. */
export interface Answer {
  readonly status: number;
  readonly mediaType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The API serves documents to programs: nothing is cached, sniffed, framed or run. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export function jsonAnswer(
  status: number,
  document: object,
  headers?: Readonly<Record<string, string>>,
): Answer {
  const body = JSON.stringify(document);
  return { status, mediaType: 'application/json', body, ...(headers ? { headers } : {}) };
}

export function problemAnswer(
  document: ProblemDocument,
  headers: Readonly<Record<string, string>>,
): Answer {
  const body = JSON.stringify(document);
  return { status: document.status, mediaType: PROBLEM_MEDIA_TYPE, body, headers };
}

const SECURITY_LIST: readonly string[] = Object.entries(SECURITY_HEADERS).flat();

/**
 * Writes the answer in one piece; a client that is gone is not an error. Headers go as a flat list
 * of names and values: Node takes it as it is, where an object is made and then walked again.
 */
export function send(response: ServerResponse, answer: Answer, closing: boolean): void {
  sendPrepared(response, prepare(answer, closing));
}

/** An answer that is written as it stands, however often. */
export interface PreparedAnswer {
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
}

export function prepare(answer: Answer, closing: boolean): PreparedAnswer {
  const list = SECURITY_LIST.slice();
  for (const name in answer.headers) list.push(name, answer.headers[name] as string);
  if (closing) list.push('connection', 'close');
  const { status, mediaType, body } = answer;
  list.push('content-type', mediaType, 'content-length', String(Buffer.byteLength(body)));
  return { status, headers: list, body };
}

export function sendPrepared(
  response: ServerResponse,
  { status, headers, body }: PreparedAnswer,
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, headers);
  response.end(body);
}
