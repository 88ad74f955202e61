import type { BatchHandler, BatchVerdict, IncomingBatch } from '@surety/runtime';
import type { MessageLog } from './message-log.js';
import type { Life, SimulatedProcess } from './process.js';

/** Who says nothing for so long loses its partitions. */
const SESSION_TIMEOUT_MS = 6_000;
/** With nothing new in the log: for partitions that were held back or change hands. */
const POLL_MS = { least: 200, most: 1_500 };
const FETCH_MS = { least: 1, most: 60 };
const BATCH_MESSAGES_MAX = 10;
/** Where a handler names no pause. */
const RETRY_MS = 100;

export interface ConsumerGroupOptions {
  readonly name: string;
  readonly log: MessageLog;
  /** A planted bug: the offset is committed before the batch is handled. */
  readonly commitsEarly: boolean;
}

/**
 * A group whose members own partitions. Owners change: when one says nothing, or at any moment. The
 * old owner is not told; it ends what it has in hand and commits its offset, which a broker would
 * refuse: more goes wrong here than can.
 */
export class ConsumerGroup {
  readonly name: string;
  readonly #options: ConsumerGroupOptions;
  readonly #members: SimulatedProcess[] = [];
  readonly #sleepers = new Map<Life, () => void>();
  readonly #owners = new Map<string, SimulatedProcess>();

  constructor(options: ConsumerGroupOptions) {
    this.name = options.name;
    this.#options = options;
    options.log.watch(() => {
      for (const wake of [...this.#sleepers.values()]) wake();
    });
  }

  /** Partitions change hands at random. */
  moveOwner(key: string): void {
    const [first] = this.#members;
    if (first) this.#owners.set(key, first.kernel.random.pick(this.#members));
  }

  /** Reads for as long as the life lasts, each partition by itself. */
  async consume(life: Life, handle: BatchHandler): Promise<never> {
    if (!this.#members.includes(life.process)) this.#members.push(life.process);
    const notBeforeMs = new Map<string, number>();
    const failures = new Map<string, number>();
    for (;;) {
      for (const key of this.#readable(life, notBeforeMs)) {
        notBeforeMs.set(key, Number.POSITIVE_INFINITY);
        const attempt = failures.get(key) ?? 0;
        this.#take(life, key, (batch) => handle(batch, attempt)).then(
          (pauseMs) => {
            failures.set(key, pauseMs === 0 ? 0 : attempt + 1);
            notBeforeMs.set(key, life.kernel.scheduler.nowMs + pauseMs);
            life.later(pauseMs, () => this.#wake(life));
          },
          (error: unknown) => {
            life.kernel.broken(`a handler of ${life.process.name} threw ${String(error)}`);
          },
        );
      }
      await this.#somethingNew(life);
    }
  }

  /** Until a message was written, a partition is free again, or the next look is due. */
  #somethingNew(life: Life): Promise<void> {
    const { random } = life.kernel;
    return new Promise((resolve) => {
      const forget = life.later(random.between(POLL_MS.least, POLL_MS.most), () => {
        this.#sleepers.delete(life);
        resolve();
      });
      this.#sleepers.set(life, () => {
        forget();
        this.#sleepers.delete(life);
        life.later(random.between(FETCH_MS.least, FETCH_MS.most), resolve);
      });
    });
  }

  #wake(life: Life): void {
    this.#sleepers.get(life)?.();
  }

  #readable(life: Life, notBeforeMs: ReadonlyMap<string, number>): string[] {
    const { nowMs } = life.kernel.scheduler;
    return this.#options.log
      .readable(this.name, nowMs)
      .filter((key) => this.#owns(life, key) && (notBeforeMs.get(key) ?? 0) <= nowMs);
  }

  #owns(life: Life, key: string): boolean {
    if (!this.#owners.has(key)) this.moveOwner(key);
    const owner = this.#owners.get(key);
    if (owner === life.process) return true;
    if (owner && owner.silentMs < SESSION_TIMEOUT_MS) return false;
    life.kernel.faults.count('partition_taken_over');
    this.#owners.set(key, life.process);
    return true;
  }

  /** Returns for how long the partition is to be left alone. */
  async #take(
    life: Life,
    key: string,
    handle: (batch: IncomingBatch) => Promise<BatchVerdict>,
  ): Promise<number> {
    const { log, commitsEarly } = this.#options;
    const { random } = life.kernel;
    const { messages, from } = log.read(this.name, key, random.between(1, BATCH_MESSAGES_MAX));
    const next = from + messages.length;
    if (commitsEarly) log.commit(this.name, key, next);
    await life.roundTrip();
    const { processed, retryAfterMs } = await handle(batchOf(messages, from));
    await life.roundTrip();
    if (!commitsEarly) log.commit(this.name, key, from + processed);
    return processed === messages.length ? 0 : (retryAfterMs ?? RETRY_MS);
  }
}

function batchOf(
  messages: readonly { topic: string; partition: number; value: string }[],
  from: number,
): IncomingBatch {
  const { topic, partition } = messages[0] ?? { topic: '', partition: 0 };
  const incoming = messages.map((message, at) => ({
    ...message,
    offset: String(from + at),
    timestampMs: 0,
  }));
  return { topic, partition, messages: incoming };
}
