import type { JournaledClient, TransferWish } from './journaled-client.js';

const ENDS = ['committed', 'rejected', 'cancelled'];

/** Single requests in the journal of a load, for those who measure: each asks the next server. */
export class ProbeClient {
  readonly #client: JournaledClient;
  readonly #baseUrls: readonly string[];
  readonly #attempts = new Map<string, number>();
  #asked = 0;

  constructor(client: JournaledClient, baseUrls: readonly string[]) {
    this.#client = client;
    this.#baseUrls = baseUrls;
  }

  /** The id, where the transfer was acknowledged; otherwise ask again with the same key and wish. */
  async submit(wish: TransferWish, key: string): Promise<string | undefined> {
    const request = { ...wish, description: key };
    const reply = await this.#client.submit(this.#via(), key, request, this.#attempt(key));
    if (reply.kind !== 'answered' || reply.status !== 202) return undefined;
    return String(reply.body['transactionId']);
  }

  /** The end, where there is one. */
  async endOf(transferId: string): Promise<string | undefined> {
    const attempt = this.#attempt(transferId);
    const reply = await this.#client.poll(this.#via(), transferId, transferId, attempt);
    if (reply.kind !== 'answered') return undefined;
    return ENDS.find((end) => end === reply.body['status']);
  }

  #via(): string {
    this.#asked += 1;
    return this.#baseUrls[this.#asked % this.#baseUrls.length] as string;
  }

  #attempt(of: string): number {
    const attempt = (this.#attempts.get(of) ?? 0) + 1;
    this.#attempts.set(of, attempt);
    return attempt;
  }
}
