import type { Socket } from 'node:net';
import { openSocket } from './broker-socket.js';
import type { BrokerAddress, KafkaCluster } from './cluster.js';
import type { RequestHead } from './producer-requests.js';
import { ProducerError } from './producer-errors.js';
import { authenticate } from './sasl-session.js';

export interface ConnectionOptions extends Pick<KafkaCluster, 'tls' | 'sasl'> {
  readonly clientId: string;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** Answers to a producer are some bytes a partition: what says it is longer is no answer. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const INT32_MAX = 2 ** 31 - 1;
/** Of the time for which the broker lets us in: what is sent then is still answered in time. */
const LIFETIME_USED = 0.8;

interface Waiting {
  readonly correlationId: number;
  resolve(body: Buffer): void;
  reject(error: Error): void;
}

interface Held {
  readonly bytes: Buffer;
  readonly waiting: Waiting;
}

/**
 * One connection to one broker, which answers in the order of the requests. It connects, over TLS it
 * verifies the broker, with SASL it authenticates; then it is ready. Requests that come before are
 * held until it is. Where the broker lets us in for a time only, it retires before that is over: it is
 * not open any more, and ends with the last answer. It ends once: with the first error of the socket,
 * a refused authentication, an answer that cannot be right, or `close`. Then all requests without an
 * answer reject. It bounds the time until it is ready; how long an answer may take is the caller's
 * matter.
 */
export class BrokerConnection {
  private readonly address: BrokerAddress;
  private readonly options: ConnectionOptions;
  private readonly socket: Socket;
  private readonly waiting: Waiting[] = [];
  /** Undefined once it is ready; a plain socket holds by itself what is written too early. */
  private held: Held[] | undefined;
  private timer: NodeJS.Timeout;
  private received: Buffer = Buffer.alloc(0);
  private lastCorrelationId = 0;
  private isRetiring = false;
  private error: ProducerError | undefined;

  constructor(address: BrokerAddress, options: ConnectionOptions) {
    this.address = address;
    this.options = options;
    const { tls, sasl } = options;
    this.held = tls === undefined && sasl === undefined ? undefined : [];
    this.socket = openSocket(address, tls, () => {
      this.connected();
    });
    this.timer = setTimeout(() => {
      this.end(`no connection within ${CONNECT_TIMEOUT_MS} ms`);
    }, CONNECT_TIMEOUT_MS);
    this.socket.once('close', () => {
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
    return this.error === undefined && !this.isRetiring;
  }

  /**
   * Resolves with the answer after its correlation id. What is asked before the connection is ready is
   * sent as soon as it is.
   * @throws ProducerError when the connection ends before the answer; whether the broker acted on the
   *   request is not known then
   */
  request(encode: (head: RequestHead) => Buffer): Promise<Buffer> {
    return this.ask(encode, this.held);
  }

  close(): void {
    this.end('the producer is closed');
  }

  private ask(encode: (head: RequestHead) => Buffer, held: Held[] | undefined): Promise<Buffer> {
    if (this.error !== undefined) return Promise.reject(this.error);
    this.lastCorrelationId = this.lastCorrelationId >= INT32_MAX ? 1 : this.lastCorrelationId + 1;
    const correlationId = this.lastCorrelationId;
    const bytes = encode({ correlationId, clientId: this.options.clientId });
    return new Promise((resolve, reject) => {
      const waiting = { correlationId, resolve, reject };
      if (held) held.push({ bytes, waiting });
      else this.send(bytes, waiting);
    });
  }

  private send(bytes: Buffer, waiting: Waiting): void {
    this.waiting.push(waiting);
    this.socket.write(bytes);
  }

  private connected(): void {
    const { sasl, tls } = this.options;
    if (sasl === undefined) {
      this.ready();
      return;
    }
    const request = (encode: (head: RequestHead) => Buffer): Promise<Buffer> =>
      this.ask(encode, undefined);
    authenticate(sasl, { address: this.address, tls, request }).then(
      (lifetimeMs) => {
        this.ready();
        if (lifetimeMs > 0) this.retireAfter(lifetimeMs * LIFETIME_USED);
      },
      (error: unknown) => {
        this.end(error instanceof Error ? error.message : 'authentication failed', error);
      },
    );
  }

  private ready(): void {
    clearTimeout(this.timer);
    const held = this.held ?? [];
    this.held = undefined;
    if (this.error !== undefined) return;
    for (const { bytes, waiting } of held) this.send(bytes, waiting);
  }

  private retireAfter(lifetimeMs: number): void {
    if (this.error !== undefined) return;
    const retire = (): void => {
      this.isRetiring = true;
      this.endIfRetired();
    };
    this.timer = setTimeout(retire, Math.min(lifetimeMs, INT32_MAX)).unref();
  }

  private endIfRetired(): void {
    if (this.isRetiring && this.waiting.length === 0) this.end('the session is over');
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
      this.endIfRetired();
      return;
    }
    if (next) this.waiting.unshift(next);
    this.end('the broker answered what was not asked');
  }

  private end(reason: string, cause?: unknown): void {
    if (this.error !== undefined) return;
    clearTimeout(this.timer);
    const { host, port } = this.address;
    const options = { isRetriable: true, cause };
    const error = new ProducerError(`${reason} (${host}:${port})`, options);
    this.error = error;
    this.socket.destroy();
    for (const waiting of this.waiting.splice(0)) waiting.reject(error);
    for (const { waiting } of this.held?.splice(0) ?? []) waiting.reject(error);
  }
}
