import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ProblemCode } from '@surety/contracts';
import { prepare } from './answer.js';
import { Problem, answerOfProblem } from './problem.js';

/** What HTTP's parser says of a request that it cannot read, in the words of Node and llhttp. */
const CODES: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};
const OF_THE_PARSER = 'HPE_';

/** A client that goes on sending is given this long to read the answer, which a reset would take away. */
const LINGER_MS = 1_000;

/** Node keeps the answer that is under way here, as its own handling of such errors needs to know. */
type UsedSocket = Duplex & { readonly _httpMessage?: ServerResponse | null };

const refused = new WeakSet<Duplex>();

/**
 * Answers, in place of a handler, what the parser could not read: with a problem document, after
 * which the connection ends. A connection that failed by itself gets no answer.
 * @param tell told the code once for each connection
 */
export function refuseUnreadable(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  tell: (code: ProblemCode) => void,
): void {
  const code = codeOf(error);
  if (code === undefined || !socket.writable) {
    if (!refused.has(socket)) socket.destroy(error);
    return;
  }
  // The parser says it again for each piece that comes behind.
  if (refused.has(socket)) return;
  refused.add(socket);
  tell(code);
  answerInTurn(socket, textOf(code));
}

function codeOf({ code = '' }: NodeJS.ErrnoException): ProblemCode | undefined {
  return CODES[code] ?? (code.startsWith(OF_THE_PARSER) ? 'malformed-request' : undefined);
}

/** Requests before it on the connection are answered first: theirs must not be taken for this one. */
function answerInTurn(socket: UsedSocket, text: string): void {
  if (!socket.writable) return;
  const { _httpMessage: answer } = socket;
  if (answer && (answer.headersSent || answer.req.complete)) {
    answer.once('close', () => {
      answerInTurn(socket, text);
    });
    return;
  }
  socket.end(text);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function textOf(code: ProblemCode): string {
  const { status, headers, body } = prepare(answerOfProblem(new Problem(code)), true);
  const fields = ['date', new Date().toUTCString(), ...headers].map((part, at) =>
    at % 2 === 0 ? `${part}: ` : `${part}\r\n`,
  );
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fields.join('')}\r\n${body}`;
}
