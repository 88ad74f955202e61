/**
 * One keep-alive connection with one request at a time, as thin as the protocol allows: a load
 * generator that shares the machine with what it measures must cost next to nothing.
 */
import { createConnection } from 'node:net';

const HEADERS_END = '\r\n\r\n';

/**
 * @typedef {object} HttpAnswer
 * @property {number} status 0 where the connection broke: the outcome is unknown
 * @property {string} body
 * @property {number} retryAfterSeconds 0 where the answer has none
 */

/** The bytes of one POST with a JSON body. */
export function postBytes(path, key, body) {
  return (
    `POST ${path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n` +
    `Idempotency-Key: ${key}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

export class HttpConnection {
  #port;
  #socket;
  #received = '';
  #onAnswer;

  constructor(port) {
    this.#port = port;
  }

  /**
   * Bytes are decoded as latin1, one character a byte, so that lengths agree; everything that the
   * generator reads is ASCII.
   * @param {string} bytes
   * @param {(answer: HttpAnswer) => void} onAnswer
   */
  send(bytes, onAnswer) {
    this.#onAnswer = onAnswer;
    this.#socket ??= this.#connect();
    this.#socket.write(bytes, 'utf8');
  }

  close() {
    this.#socket?.destroy();
  }

  #connect() {
    const socket = createConnection({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.setEncoding('latin1');
    socket.on('data', (text) => this.#take(text));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#socket = undefined;
      this.#received = '';
      this.#answer({ status: 0, body: '', retryAfterSeconds: 0 });
    });
    return socket;
  }

  #take(text) {
    this.#received = this.#received === '' ? text : this.#received + text;
    const headersEnd = this.#received.indexOf(HEADERS_END);
    if (headersEnd < 0) return;
    const headers = this.#received.slice(0, headersEnd).toLowerCase();
    const bodyStart = headersEnd + HEADERS_END.length;
    const length = Number(headerOf(headers, 'content-length') ?? 0);
    if (this.#received.length < bodyStart + length) return;
    const body = this.#received.slice(bodyStart, bodyStart + length);
    const retryAfterSeconds = Number(headerOf(headers, 'retry-after') ?? 0);
    this.#received = '';
    this.#answer({ status: Number(headers.slice(9, 12)), body, retryAfterSeconds });
  }

  #answer(answer) {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(answer);
  }
}

function headerOf(headers, name) {
  const at = headers.indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  const end = headers.indexOf('\r\n', at + 2);
  return headers.slice(at + name.length + 3, end < 0 ? undefined : end).trim();
}
