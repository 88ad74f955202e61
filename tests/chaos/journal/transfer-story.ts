import type { Chance } from '../../e2e/chance.js';
import type { JournaledClient, KeyedWish, Reply, TransferWish } from './journaled-client.js';

export interface StoryWorld {
  readonly client: JournaledClient;
  readonly baseUrls: readonly string[];
  readonly chance: Chance;
  /** Rejects when the run is over. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly counts: StoryCounts;
  /** The latest transfers that were acknowledged: their keys may be used again by mistake. */
  readonly earlier: KeyedWish[];
  /** Keeps an eye on a story that goes on beside the one that began it; resolves when it has ended. */
  readonly begin: (story: Promise<void>) => Promise<void>;
}

export interface StoryCounts {
  submitted: number;
  acknowledged: number;
  committed: number;
  rejected: number;
  cancelled: number;
  batches: number;
  /** Calls for a batch beyond its first one. */
  batchesSentAgain: number;
  /** Of all batches, with those that were to be refused or had been acknowledged before. */
  members: number;
  /** Of the members, as they must be. */
  badRequestsRefused: number;
  /** Other bodies under a used key that were refused as they must be. */
  reusesRefused: number;
  cancelsAsked: number;
  fundings: number;
  /** From the first acknowledgement to the first answer that told the end. */
  longestEndMs: number;
  /** Which transfer that was. */
  slowestTransfer: string;
}

const ENDS = ['committed', 'rejected', 'cancelled'] as const;
type End = (typeof ENDS)[number];

const POLL_AFTER_MS = [20, 40, 80, 160, 320, 640] as const;
const POLL_AFTER_MS_MAX = 1_000;
const RETRY_PAUSE_MS = 1_000;
const RETRY_PAUSE_MS_MAX = 10_000;
const BACK_OFF_MS_MAX = 4_000;
const EARLIER_MAX = 500;

/** Asks again after a pause, at any of the servers, until one gives an answer that says something. */
export async function untilAnswered(
  world: StoryWorld,
  ask: (via: string, attempt: number) => Promise<Reply>,
  firstAttempt = 1,
): Promise<Extract<Reply, { kind: 'answered' }>> {
  for (let attempt = firstAttempt; ; attempt += 1) {
    const reply = await ask(anyServer(world), attempt);
    if (reply.kind === 'answered' && reply.status < 500) return reply;
    await world.sleep(pauseAfter(reply, attempt - firstAttempt, world.chance));
  }
}

export function anyServer({ baseUrls, chance }: StoryWorld): string {
  return baseUrls[chance.below(baseUrls.length)] as string;
}

/**
 * An unknown outcome is often asked about at once, and less and less often where nothing answers at
 * all; 503 is given the time that it asks for.
 */
function pauseAfter(reply: Reply, retries: number, chance: Chance): number {
  if (reply.kind === 'unknown') {
    if (retries === 0 && chance.below(2) === 0) return 10;
    return chance.below(Math.min(RETRY_PAUSE_MS * 2 ** retries, RETRY_PAUSE_MS_MAX));
  }
  const { retryAfterMs = 500 } = reply;
  return Math.min(retryAfterMs, BACK_OFF_MS_MAX) * (1 + chance.below(50) / 100);
}

/** One transfer from its first request to its end, with the mishaps of a client in between. */
export class TransferStory {
  readonly #world: StoryWorld;
  readonly #key: string;
  readonly #wish: TransferWish;

  constructor(world: StoryWorld, key: string, wish: TransferWish) {
    this.#world = world;
    this.#key = key;
    this.#wish = wish;
  }

  async tell(): Promise<void> {
    const { counts } = this.#world;
    counts.submitted += 1;
    const transferId = await this.#submit();
    if (transferId !== undefined) await this.follow(transferId);
  }

  /** From its acknowledgement on. */
  async follow(transferId: string): Promise<void> {
    const { counts, earlier } = this.#world;
    const acknowledgedAt = performance.now();
    counts.acknowledged += 1;
    earlier.push({ key: this.#key, wish: this.#wish });
    if (earlier.length > EARLIER_MAX) earlier.shift();
    // One story goes on while the other waits: a cancel races with the steps and with the polls.
    const [end] = await Promise.all([
      this.#pollToTheEnd(transferId),
      this.#misbehave(transferId),
      this.#sometimesCancel(transferId),
    ]);
    counts[end] += 1;
    const tookMs = performance.now() - acknowledgedAt;
    if (tookMs > counts.longestEndMs) {
      Object.assign(counts, { longestEndMs: Math.round(tookMs), slowestTransfer: transferId });
    }
    await this.#lookBack(transferId);
  }

  async #submit(): Promise<string | undefined> {
    const { client } = this.#world;
    const ask = (via: string, attempt: number): Promise<Reply> =>
      client.submit(via, this.#key, this.#wish, attempt);
    const asks = [untilAnswered(this.#world, ask)];
    if (this.#oneIn(20)) asks.push(untilAnswered(this.#world, ask, 101));
    const [first] = await Promise.all(asks);
    const transferId = first?.body['transactionId'];
    return first?.status === 202 && typeof transferId === 'string' ? transferId : undefined;
  }

  async #pollToTheEnd(transferId: string): Promise<End> {
    const { client, sleep } = this.#world;
    for (let attempt = 0; ; attempt += 1) {
      const { body } = await untilAnswered(this.#world, (via) =>
        client.poll(via, this.#key, transferId, attempt),
      );
      const end = ENDS.find((status) => status === body['status']);
      if (end !== undefined) return end;
      await sleep(POLL_AFTER_MS[attempt] ?? POLL_AFTER_MS_MAX);
    }
  }

  /** The same request once more; another one under the same key. */
  async #misbehave(transferId: string): Promise<void> {
    const { client, counts } = this.#world;
    if (this.#oneIn(30)) {
      await untilAnswered(
        this.#world,
        (via, attempt) => client.submit(via, this.#key, this.#wish, attempt),
        201,
      );
    }
    if (!this.#oneIn(40)) return;
    const other = { ...this.#wish, description: `${transferId} under a used key` };
    const { status } = await untilAnswered(
      this.#world,
      (via, attempt) => client.submit(via, this.#key, other, attempt),
      301,
    );
    if (status === 422) counts.reusesRefused += 1;
  }

  async #sometimesCancel(transferId: string): Promise<void> {
    const { chance, sleep } = this.#world;
    if (!this.#oneIn(15)) return;
    await sleep(chance.below(2) === 0 ? 0 : chance.below(400));
    await this.#cancel(transferId);
  }

  /** An end is final whoever is asked later, and however it is asked. */
  async #lookBack(transferId: string): Promise<void> {
    const { client, sleep, chance } = this.#world;
    if (this.#oneIn(50)) await this.#cancel(transferId);
    if (!this.#oneIn(10)) return;
    await sleep(chance.below(1_000));
    await untilAnswered(this.#world, (via, attempt) =>
      client.poll(via, this.#key, transferId, 100 + attempt),
    );
  }

  async #cancel(transferId: string): Promise<void> {
    const { client, counts } = this.#world;
    counts.cancelsAsked += 1;
    await untilAnswered(this.#world, (via, attempt) =>
      client.cancel(via, this.#key, transferId, attempt),
    );
  }

  #oneIn(bound: number): boolean {
    return this.#world.chance.below(bound) === 0;
  }
}
