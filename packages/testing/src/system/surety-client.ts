import type {
  AccountAnswer,
  BalanceAnswer,
  TransferAcceptedAnswer,
  TransferAnswer,
} from '@surety/contracts';

export interface Reply<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface TransferWish {
  readonly sourceAccount: string;
  readonly destinationAccount: string;
  readonly amount: string;
  readonly currency?: string;
}

const ANSWER_WITHIN_MS = 40_000;

/** A client as the API's users write it: HTTP only, no knowledge of what is behind. */
export class SuretyClient {
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  submit(wish: TransferWish, key: string): Promise<Reply<TransferAcceptedAnswer>> {
    return this.#post('/api/v1/transfers', wish, key);
  }

  transfer(id: string, wait?: string): Promise<Reply<TransferAnswer>> {
    return this.#call('GET', `/api/v1/transfers/${id}${wait ? `?wait=${wait}` : ''}`);
  }

  openAccount(accountId: string, currency = 'EUR'): Promise<Reply<AccountAnswer>> {
    return this.#post('/api/v1/accounts', { accountId, currency });
  }

  deposit(accountId: string, amount: string, key: string): Promise<Reply<unknown>> {
    const path = `/api/v1/accounts/${accountId}/funding`;
    return this.#post(path, { amount, direction: 'deposit' }, key);
  }

  balance(accountId: string): Promise<Reply<BalanceAnswer>> {
    return this.#call('GET', `/api/v1/accounts/${accountId}/balance`);
  }

  #post<Body>(path: string, body: object, key?: string): Promise<Reply<Body>> {
    return this.#call('POST', path, { body: JSON.stringify(body), ...(key ? { key } : {}) });
  }

  async #call<Body>(
    method: string,
    path: string,
    { body, key }: { body?: string; key?: string } = {},
  ): Promise<Reply<Body>> {
    const answer = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    };
  }
}

/** Runs tasks with at most `concurrency` under way; results come in the order of the items. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  task: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      results[index] = await task(items[index] as Item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane));
  return results;
}
