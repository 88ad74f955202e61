import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** In what it is not like a sound system. */
export interface Manner {
  /** Closes the connection of whoever submits a transfer. */
  readonly hangsUp?: boolean;
  /** Before a submission is answered. */
  readonly submitDelayMs?: number;
  /** Before the end of a transfer is told. */
  readonly endDelayMs?: number;
}

const OPENED_WITH = '1000000.00';

/** What a load script asks of the API, answered at once and without any system behind it. */
export class PretendedApi {
  manner: Manner = {};
  readonly #server: Server;
  /** By idempotency key. */
  readonly #transfers = new Map<string, { id: string; text: string }>();

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  static async start(): Promise<PretendedApi> {
    const api = new PretendedApi();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const path = (request.url ?? '').replace('/api/v1', '').replace(/\?.*/, '');
    if (path === '/transfers') this.#submitted(request, text, response);
    else if (path.startsWith('/transfers/')) this.#told(path.slice('/transfers/'.length), response);
    else if (path.endsWith('/balance')) say(response, 200, { balance: OPENED_WITH, held: '0.00' });
    else say(response, 201, {});
  }

  #submitted({ headers }: IncomingMessage, text: string, response: ServerResponse): void {
    if (this.manner.hangsUp) {
      response.destroy();
      return;
    }
    const key = String(headers['idempotency-key']);
    const earlier = this.#transfers.get(key);
    const { id, text: first } = earlier ?? { id: `t${this.#transfers.size}`, text };
    this.#transfers.set(key, { id, text: first });
    response.setHeader('Location', `/api/v1/transfers/${id}`);
    if (earlier) response.setHeader('Idempotency-Replayed', 'true');
    const status = first === text ? 202 : 422;
    later(this.manner.submitDelayMs, () => say(response, status, { transactionId: id }));
  }

  #told(id: string, response: ServerResponse): void {
    const transfer = [...this.#transfers.values()].find((one) => one.id === id);
    const { amount } = JSON.parse(transfer?.text ?? '{}') as { amount?: string };
    const timeline = [{ event: 'committed' }];
    later(this.manner.endDelayMs, () => {
      say(response, 200, { transactionId: id, status: 'committed', amount, timeline });
    });
  }
}

function later(delayMs: number | undefined, work: () => void): void {
  if (delayMs === undefined) work();
  else setTimeout(work, delayMs);
}

function say(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
