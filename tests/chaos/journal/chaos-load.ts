import { setMaxListeners } from 'node:events';
import { Chance } from '../../e2e/chance.js';
import { BatchStory } from './batch-story.js';
import { Journal } from './journal.js';
import { JournaledClient } from './journaled-client.js';
import type { AnswerCounts } from './journaled-client.js';
import { TransferStory, untilAnswered } from './transfer-story.js';
import type { StoryCounts, StoryWorld } from './transfer-story.js';
import { Wishes, chaosAccounts, firstFunds } from './wishes.js';
import type { ChaosAccount } from './wishes.js';

export interface ChaosLoadOptions {
  readonly journalFile: string;
  /** Every ingress; which one is asked is drawn anew for each request. */
  readonly baseUrls: readonly string[];
  readonly seed: number;
  /** How many accounts; the first few are hot. */
  readonly accounts: number;
  /** Accounts in EUR that are opened and funded beside them and not used by the load itself. */
  readonly otherAccounts?: readonly string[];
  /** Transfers under way whose outcome is waited for. */
  readonly concurrency: number;
}

export interface ChaosLoadStats extends StoryCounts, AnswerCounts {
  /** Transfers, fundings and batches whose end nobody has seen. */
  readonly unfinished: number;
}

/** A transfer that takes longer is still followed, but another one is begun beside it. */
const STUCK_AFTER_MS = 2_000;
/** Beyond it nothing new is begun: nobody waits for more than so many answers. */
const STORIES_PER_LANE_MAX = 20;
const FUNDING_ONE_IN = 25;
const BATCH_ONE_IN = 12;

class RunIsOver extends Error {}

/**
 * Clients of the API who pay each other, ask again when they got no answer, change their minds and
 * make mistakes, one transfer at a time or many in a batch, and who write down all they hear. Bounded:
 * nothing new is begun beside `concurrency` stories that go well, or twenty times as many in all. The
 * members of a batch are followed by a story each.
 */
export class ChaosLoad {
  readonly journal: Journal;
  readonly client: JournaledClient;
  readonly #options: ChaosLoadOptions;
  readonly #world: StoryWorld;
  readonly #wishes: Wishes;
  readonly #accounts: readonly ChaosAccount[];
  readonly #stories = new Set<Promise<void>>();
  readonly #over = new AbortController();
  #lanes: Promise<void>[] = [];
  #isRunning = false;
  #keys = 0;

  constructor(options: ChaosLoadOptions) {
    const { journalFile, baseUrls, seed } = options;
    this.#options = options;
    // Everybody who sleeps listens for the end.
    setMaxListeners(0, this.#over.signal);
    this.journal = new Journal(journalFile);
    this.client = new JournaledClient(this.journal);
    const chance = new Chance(seed);
    this.#accounts = chaosAccounts(seed, options.accounts);
    this.#wishes = new Wishes(chance, this.#accounts);
    const sleep = (ms: number): Promise<void> => this.#sleep(ms);
    const begin = (story: Promise<void>): Promise<void> => this.#begin(story);
    const memory = { counts: noCounts(), earlier: [] };
    this.#world = { client: this.client, baseUrls, chance, sleep, begin, ...memory };
  }

  get stats(): ChaosLoadStats {
    return { ...this.#world.counts, ...this.client.counts, unfinished: this.#stories.size };
  }

  /** Opens and funds every account, then keeps the transfers coming until `stop`. */
  async start(): Promise<void> {
    const others = (this.#options.otherAccounts ?? []).map((id) => ({ id, currency: 'EUR' }));
    const waiting = [...this.#accounts, ...others];
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) await this.#openAndFund(next);
    };
    const { concurrency } = this.#options;
    await Promise.all(Array.from({ length: concurrency }, lane));
    this.#isRunning = true;
    this.#lanes = Array.from({ length: concurrency }, () => this.#keepGoing());
  }

  /** Begins nothing new. What is under way goes on. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#lanes);
  }

  /**
   * Waits until every story has ended, then closes the journal.
   * @param withinMs after it whoever is still waiting gives up
   * @returns how many had to give up
   */
  async drain(withinMs: number): Promise<{ unfinished: number; tookMs: number }> {
    const startedAt = performance.now();
    await this.stop();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([Promise.all(this.#stories), late]);
    clearTimeout(timer);
    const unfinished = this.#stories.size;
    const tookMs = Math.round(performance.now() - startedAt);
    this.#over.abort();
    await Promise.all(this.#stories);
    this.journal.close();
    return { unfinished, tookMs };
  }

  async #keepGoing(): Promise<void> {
    const storiesMax = this.#options.concurrency * STORIES_PER_LANE_MAX;
    while (this.#isRunning) {
      if (this.#stories.size >= storiesMax) await this.#sleep(100).catch(ignoreTheEnd);
      else await this.#oneStory();
    }
  }

  /** Until it has ended, or is stuck and goes on by itself. */
  async #oneStory(): Promise<void> {
    const story = this.#begin(this.#newStory());
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<void>((resolve) => (timer = setTimeout(resolve, STUCK_AFTER_MS)));
    await Promise.race([story, stuck]);
    clearTimeout(timer);
  }

  /** Until it has ended or the run is over it is one of those under way. */
  #begin(told: Promise<void>): Promise<void> {
    const story = told.catch(ignoreTheEnd).finally(() => this.#stories.delete(story));
    this.#stories.add(story);
    return story;
  }

  #newStory(): Promise<void> {
    const key = this.#newKey();
    const { chance, earlier } = this.#world;
    if (chance.below(FUNDING_ONE_IN) === 0) return this.#fundOnce(key);
    if (chance.below(BATCH_ONE_IN) === 0) {
      const members = this.#wishes.batch(() => this.#newKey(), earlier);
      return new BatchStory(this.#world, key, members).tell();
    }
    return new TransferStory(this.#world, key, this.#wishes.transfer(key)).tell();
  }

  async #fundOnce(key: string): Promise<void> {
    const request = this.#wishes.funding(key);
    this.#world.counts.fundings += 1;
    await untilAnswered(this.#world, (via, attempt) =>
      this.client.fund(via, key, request, attempt),
    );
  }

  async #openAndFund({ id, currency }: ChaosAccount): Promise<void> {
    await untilAnswered(this.#world, (via, attempt) =>
      this.client.open(via, id, currency, attempt),
    );
    const key = this.#newKey();
    const amount = firstFunds(currency);
    const request = { accountId: id, direction: 'deposit', amount, currency, description: key };
    await untilAnswered(this.#world, (via, attempt) =>
      this.client.fund(via, key, request, attempt),
    );
  }

  #newKey(): string {
    this.#keys += 1;
    return `chaos-${this.#options.seed}-key-${this.#keys}`;
  }

  #sleep(ms: number): Promise<void> {
    const { signal } = this.#over;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(new RunIsOver());
        return;
      }
      const giveUp = (): void => {
        clearTimeout(timer);
        reject(new RunIsOver());
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      }, ms);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}

function ignoreTheEnd(error: unknown): void {
  if (!(error instanceof RunIsOver)) throw error;
}

function noCounts(): StoryCounts {
  return {
    submitted: 0,
    acknowledged: 0,
    committed: 0,
    rejected: 0,
    cancelled: 0,
    batches: 0,
    batchesSentAgain: 0,
    members: 0,
    badRequestsRefused: 0,
    reusesRefused: 0,
    cancelsAsked: 0,
    fundings: 0,
    longestEndMs: 0,
    slowestTransfer: '',
  };
}
