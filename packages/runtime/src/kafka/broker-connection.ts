import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { RequestHead } from './producer-requests.js';
import { ProducerError } from './producer-errors.js';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

const CONNECT_TIMEOUT_MS = 3_000;
const KEEP_ALIVE_MS = 60_000;
/** Answers to a producer are some bytes a partition: what says it is longer is no answer. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const INT32_MAX = 2 ** 31 - 1;

interface Waiting {
  readonly correlationId: number;
  resolve(body: Buffer): void;
  reject(error: Error): void;
}

/**
 * One connection to one broker, which answers in the order of the requests. It connects, is open, and
 * ends once: with the first error of the socket, an answer that cannot be right, or `close`. Then all
 * requests without an answer reject. It bounds the time to connect; how long an answer may take is
 * the caller's matter.
 */
export class BrokerConnection {
  private readonly address: BrokerAddress;
  private readonly clientId: string;
  private readonly socket: Socket;
  private readonly waiting: Waiting[] = [];
  private received: Buffer = Buffer.alloc(0);
  private lastCorrelationId = 0;
  private error: ProducerError | undefined;

  constructor(address: BrokerAddress, clientId: string) {
    this.address = address;
    this.clientId = clientId;
    this.socket = connect({ ...address, noDelay: true });
    this.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const timer = setTimeout(() => {
      this.end(`no connection within ${CONNECT_TIMEOUT_MS} ms`);
    }, CONNECT_TIMEOUT_MS);
    this.socket.once('connect', () => {
      clearTimeout(timer);
    });
    this.socket.once('close', () => {
      clearTimeout(timer);
      this.end('the broker closed the connection');
    });
    this.socket.on('error', (error) => {
      this.end('the connection failed', error);
    });
    this.socket.on('data', (chunk: Buffer) => {
      this.receive(chunk);
    });
  }

  get isOpen(): boolean {
    return this.error === undefined;
  }

  /**
   * Resolves with the answer after its correlation id. What is asked before the connection stands is
   * sent as soon as it does.
   * @throws ProducerError when the connection ends before the answer; whether the broker acted on the
   *   request is not known then
   */
  request(encode: (head: RequestHead) => Buffer): Promise<Buffer> {
    if (this.error !== undefined) return Promise.reject(this.error);
    this.lastCorrelationId = this.lastCorrelationId >= INT32_MAX ? 1 : this.lastCorrelationId + 1;
    const correlationId = this.lastCorrelationId;
    const bytes = encode({ correlationId, clientId: this.clientId });
    return new Promise((resolve, reject) => {
      this.waiting.push({ correlationId, resolve, reject });
      this.socket.write(bytes);
    });
  }

  close(): void {
    this.end('the producer is closed');
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    while (this.received.length >= 4 && this.error === undefined) {
      const bytes = this.received.readInt32BE(0);
      if (bytes < 4 || bytes > ANSWER_BYTES_MAX) {
        this.end(`the broker announced an answer of ${bytes} bytes`);
        return;
      }
      if (this.received.length < 4 + bytes) return;
      const answer = this.received.subarray(4, 4 + bytes);
      this.received = this.received.subarray(4 + bytes);
      this.answer(answer);
    }
  }

  private answer(answer: Buffer): void {
    const next = this.waiting.shift();
    if (next?.correlationId === answer.readInt32BE(0)) {
      next.resolve(answer.subarray(4));
      return;
    }
    if (next) this.waiting.unshift(next);
    this.end('the broker answered what was not asked');
  }

  private end(reason: string, cause?: unknown): void {
    if (this.error !== undefined) return;
    const { host, port } = this.address;
    const options = { isRetriable: true, cause };
    const error = new ProducerError(`${reason} (${host}:${port})`, options);
    this.error = error;
    this.socket.destroy();
    for (const waiting of this.waiting.splice(0)) waiting.reject(error);
  }
}
