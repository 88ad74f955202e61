import { ConfigurationError } from '../configuration-error.js';
import { failureKind } from '../failure-kind.js';
import type { HealthCheck } from '../health.js';
import type { Logger } from '../log.js';
import { Loop } from '../loop.js';
import { sleep } from '../retry.js';
import type { KafkaCluster } from './cluster.js';
import { Leaders } from './leaders.js';

export interface PartitionCountOptions extends KafkaCluster {
  readonly topics: readonly string[];
  /** Milliseconds for all brokers together, which are asked one after the other. Default 1,800. */
  readonly withinMs?: number;
}

export interface PartitionCheckOptions extends PartitionCountOptions {
  /** SURETY_PARTITIONS: each topic must have so many, and may have more. */
  readonly partitions: number;
  readonly log: Logger;
  /** Default: `PARTITION_PACE`. Specs are in a hurry. */
  readonly pace?: PartitionPace;
  /** Default: `countPartitions`. Specs answer by themselves. */
  readonly count?: typeof countPartitions;
}

/** Milliseconds. */
export interface PartitionPace {
  /** For topics that were found too short, before the start is refused. */
  readonly patienceMs: number;
  readonly againMs: number;
  /** Between two questions after a start that could not be told. */
  readonly laterMs: number;
}

/** Bounds what a broker may lag behind the one that has just added partitions. */
const PARTITION_PACE: PartitionPace = { patienceMs: 5_000, againMs: 500, laterMs: 5_000 };
/** A cluster that is away delays no start for longer. */
const ANSWERS_MS = 1_800;

/**
 * How many partitions each topic has, by its name; without topics that are not there.
 * @throws Error when no broker answers in time
 */
export async function countPartitions(
  options: PartitionCountOptions,
): Promise<ReadonlyMap<string, number>> {
  const { topics, withinMs = ANSWERS_MS, ...cluster } = options;
  const answerTimeoutMs = withinMs / cluster.brokers.length;
  const leaders = new Leaders({ ...cluster, clientId: 'surety-partitions', answerTimeoutMs });
  const { partitionCounts } = await leaders.learn(topics);
  return partitionCounts;
}

export interface PartitionCheck {
  /** Rejects while a topic is known to be too short. What nobody could tell yet is no failure. */
  readonly check: HealthCheck;
  stop(): Promise<void>;
}

/**
 * Compares the setting with the topics. More partitions than the setting are read all the same, so
 * they are worth a warning. With fewer, nobody can publish to some of those that are set: a process
 * does not start with that. Where Kafka is away, or topics are not there yet, the start
 * goes on and the question is asked every five seconds until it is answered; from an answer that is
 * bad, also one that came before Kafka went away, until a good one the check fails.
 * @throws ConfigurationError naming every topic that has too few
 */
export async function checkPartitions(options: PartitionCheckOptions): Promise<PartitionCheck> {
  const watch = new PartitionWatch(options);
  await watch.begin();
  return watch;
}

class PartitionWatch implements PartitionCheck {
  readonly #options: PartitionCheckOptions;
  readonly #pace: PartitionPace;
  #loop: Loop | undefined;
  #mistakes: readonly string[] = [];
  /** The kind of failure for which nobody told; undefined where somebody did. */
  #silence: string | undefined;

  constructor(options: PartitionCheckOptions) {
    this.#options = options;
    this.#pace = options.pace ?? PARTITION_PACE;
  }

  readonly check = (): Promise<void> =>
    this.#mistakes.length > 0
      ? Promise.reject(new ConfigurationError(this.#mistakes))
      : Promise.resolve();

  async begin(): Promise<void> {
    const endsAt = performance.now() + this.#pace.patienceMs;
    let lastMistakes: readonly string[] = [];
    for (;;) {
      const found = await this.#ask().catch((error: unknown) => {
        this.#unanswered(error);
        return undefined;
      });
      if (found?.isSettled === true) return;
      if (found === undefined || found.mistakes.length === 0) {
        // Without an answer the last one holds: what was too short a moment ago still is.
        this.#learn(found?.mistakes ?? lastMistakes);
        this.#goOnAsking();
        return;
      }
      if (performance.now() > endsAt) throw new ConfigurationError(found.mistakes);
      lastMistakes = found.mistakes;
      await sleep(this.#pace.againMs);
    }
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  #goOnAsking(): void {
    this.#loop = new Loop({
      intervalMs: this.#pace.laterMs,
      run: () => this.#askAgain(),
      failed: (error) => {
        this.#unanswered(error);
      },
    });
    this.#loop.start();
  }

  async #askAgain(): Promise<void> {
    const { mistakes, isSettled } = await this.#ask();
    this.#learn(mistakes);
    // Not awaited: it ends with the run that asks for it.
    if (isSettled) void this.#loop?.stop();
  }

  /**
   * One line for each kind of failure: its text names the broker that was asked last. A process that publishes nothing, or that has nothing to publish yet,
   * would not tell otherwise that Kafka does not let it in.
   */
  #unanswered(error: unknown): void {
    const kind = failureKind(error);
    const level = kind === this.#silence ? 'debug' : 'warn';
    this.#silence = kind;
    const { log } = this.#options;
    log.log(level, 'kafka has not told how many partitions there are, it is asked again', {
      error,
    });
  }

  #answered(): void {
    if (this.#silence === undefined) return;
    this.#silence = undefined;
    this.#options.log.info('kafka has told how many partitions there are');
  }

  /** Only what is new is worth a line. */
  #learn(mistakes: readonly string[]): void {
    const { log } = this.#options;
    const isNews = mistakes.join() !== this.#mistakes.join();
    this.#mistakes = mistakes;
    if (isNews && mistakes.length > 0) log.error('topics have too few partitions', { mistakes });
    if (isNews && mistakes.length === 0) log.info('topics have partitions enough now');
  }

  async #ask(): Promise<{ mistakes: readonly string[]; isSettled: boolean }> {
    const { topics, partitions, log, count = countPartitions } = this.#options;
    const counts = await count(this.#options);
    this.#answered();
    const present = topics.flatMap((topic) => {
      const found = counts.get(topic);
      return found === undefined ? [] : [{ topic, found }];
    });
    const mistakes = present
      .filter(({ found }) => found < partitions)
      .map((short) => mistakeOf(short, partitions));
    const isSettled = mistakes.length === 0 && present.length === topics.length;
    const longer = present.filter(({ found }) => found > partitions);
    if (isSettled && longer.length > 0) {
      const hint = 'set SURETY_PARTITIONS to what the topics have to write to all of them';
      log.warn('topics have more partitions than are written to', { longer, partitions, hint });
    }
    return { mistakes, isSettled };
  }
}

function mistakeOf(short: { topic: string; found: number }, partitions: number): string {
  return (
    `SURETY_PARTITIONS: topic ${short.topic} has ${short.found} partitions, expected ${partitions}: ` +
    `add partitions to the topic, or set SURETY_PARTITIONS to ${short.found} everywhere`
  );
}
