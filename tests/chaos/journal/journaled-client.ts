import type { Asked, Journal, JournalAnswer } from './journal.js';

export interface Call extends Asked {
  readonly method: 'GET' | 'POST';
  readonly path: string;
}

/** What a client of the HTTP API asks for in a transfer. */
export interface TransferWish {
  readonly sourceAccount: string;
  readonly destinationAccount: string;
  readonly amount: string;
  readonly currency: string;
  readonly description?: string;
}

/** A request under its idempotency key. */
export interface KeyedWish {
  readonly key: string;
  readonly wish: TransferWish;
}

export type Reply =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: Readonly<Record<string, unknown>>;
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: 'unknown' };

export interface AnswerCounts {
  readonly byStatus: Record<string, number>;
  unknown: number;
}

/** Longer than any answer that a sound system gives, shorter than a client's patience. */
const ANSWER_WITHIN_MS = 8_000;

/** What of an answer about a transfer is kept; the rest would only make the journal long. */
const KEPT = [
  ...['transactionId', 'status', 'reason', 'kind', 'sourceAccount', 'destinationAccount'],
  ...['amount', 'currency', 'description', 'code', 'state', 'detail', 'accountId', 'direction'],
  'errors',
];

/** Speaks to the API over HTTP and writes every request and every answer into the journal. */
export class JournaledClient {
  readonly counts: AnswerCounts = { byStatus: {}, unknown: 0 };
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  open(via: string, accountId: string, currency: string, attempt: number): Promise<Reply> {
    const request = { accountId, currency };
    const asked = { op: 'open', attempt, key: accountId, via, request } as const;
    return this.#call({ ...asked, method: 'POST', path: '/api/v1/accounts' });
  }

  fund(
    via: string,
    key: string,
    request: Readonly<Record<string, string>> & { readonly accountId: string },
    attempt: number,
  ): Promise<Reply> {
    const path = `/api/v1/accounts/${request.accountId}/funding`;
    return this.#call({ op: 'fund', attempt, key, via, request, method: 'POST', path });
  }

  submit(via: string, key: string, wish: TransferWish, attempt: number): Promise<Reply> {
    const asked = { op: 'submit', attempt, key, via, request: { ...wish } } as const;
    return this.#call({ ...asked, method: 'POST', path: '/api/v1/transfers' });
  }

  /** @param name in the journal, what holds the calls for one batch together */
  submitBatch(
    via: string,
    name: string,
    members: readonly KeyedWish[],
    attempt: number,
  ): Promise<Reply> {
    const transfers = members.map(({ key, wish }) => ({ ...wish, idempotencyKey: key }));
    const asked = { op: 'batch', attempt, key: name, via, request: { transfers } } as const;
    return this.#call({ ...asked, method: 'POST', path: '/api/v1/transfers/batch' });
  }

  cancel(via: string, key: string, transferId: string, attempt: number): Promise<Reply> {
    const path = `/api/v1/transfers/${transferId}/cancel`;
    return this.#call({ op: 'cancel', attempt, key, via, transferId, method: 'POST', path });
  }

  poll(via: string, key: string, transferId: string, attempt: number): Promise<Reply> {
    // The two doors to a status, and the one that waits for the end.
    const ways = ['', '/status', '?wait=1s'];
    const path = `/api/v1/transfers/${transferId}${ways[attempt % ways.length]}`;
    return this.#call({ op: 'poll', attempt, key, via, transferId, method: 'GET', path });
  }

  async #call({ method, path, ...asked }: Call): Promise<Reply> {
    const call = this.#journal.asked(asked);
    const { reply, answer } = await this.#send(method, path, asked);
    this.#journal.answered(call, asked, answer);
    return reply;
  }

  async #send(
    method: string,
    path: string,
    asked: Asked,
  ): Promise<{ reply: Reply; answer: JournalAnswer }> {
    try {
      const answer = await fetch(`${asked.via}${path}`, {
        ...requestOf(method, asked),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const text = await answer.text();
      const { status } = answer;
      this.counts.byStatus[status] = (this.counts.byStatus[status] ?? 0) + 1;
      const body = keptOf(text === '' ? {} : (JSON.parse(text) as Record<string, unknown>));
      const retryAfterMs = retryAfterOf(answer.headers.get('retry-after'));
      const reply = { kind: 'answered', status, body, retryAfterMs } as const;
      return { reply, answer: { status, body } };
    } catch (error) {
      this.counts.unknown += 1;
      return { reply: { kind: 'unknown' }, answer: { unknown: reasonOf(error) } };
    }
  }
}

function requestOf(method: string, { op, key, request }: Asked): RequestInit {
  if (method === 'GET') return { method };
  const keyHeader = op === 'cancel' || op === 'batch' ? {} : { 'idempotency-key': key };
  if (request === undefined) return { method, headers: keyHeader };
  const { accountId, ...funding } = request;
  const body = op === 'fund' ? funding : { ...funding, accountId };
  const headers = { 'content-type': 'application/json', ...keyHeader };
  return { method, headers, body: JSON.stringify(body) };
}

function keptOf(body: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(body).filter(([name]) => KEPT.includes(name));
  const { results } = body;
  if (Array.isArray(results)) kept.push(['results', results.map(keptOfResult)]);
  return Object.fromEntries(kept);
}

function keptOfResult(result: Record<string, Record<string, unknown>>): Record<string, unknown> {
  const { status, replayed, transfer, problem } = result;
  return {
    ...{ status, replayed },
    ...(transfer === undefined ? {} : { transfer: keptOf(transfer) }),
    ...(problem === undefined ? {} : { problem: keptOf(problem) }),
  };
}

function retryAfterOf(header: string | null): number | undefined {
  const seconds = Number(header ?? '');
  return header === null || Number.isNaN(seconds) ? undefined : seconds * 1_000;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  return code ?? (cause instanceof Error ? cause.message : error.message);
}
