import { DeadlineError, sleep, withDeadline } from '../retry.js';
import { PartitionWork, type BatchProgress, type Piece } from './partition-work.js';
import { partitionKey, type Partition } from './partitions.js';
import type { BatchHandler, BatchVerdict, ConsumerOptions, IncomingBatch } from './ports.js';

/** What a runner does to the partitions of its consumer. */
export interface PartitionControls {
  pause(partition: Partition): void;
  resume(partition: Partition): void;
}

/**
 * Of one partition in hand, in characters: with more of it nothing is read ahead. Small enough that
 * what a member has in hand fits its memory, large enough for what gathers while a transaction runs.
 */
const READ_AHEAD_CHARACTERS = 65_536;
/**
 * How long a full partition may hold up the others. The library fetches again only when every batch
 * of the last fetch has returned, so one shard that hangs would stop them all. Not shorter, because
 * a partition that is paused and resumed can miss the fetch under way (one second).
 */
const PATIENCE_MS = 3000;
/** For a partition that failed or hung, until it is handled in full: it must not do so each time. */
const PATIENCE_WITH_FAILING_MS = 100;
/** After a partial batch without a wish of the handler: long enough not to spin. */
const RETRY_DEFAULT_MS = 100;
/** After a handler threw, which it must not. */
const RETRY_AFTER_THROW_MS = 1000;

/**
 * Hands batches to the handler as they come, so that those of the next transaction gather while the
 * last one runs, and tells how far each partition is handled without a gap.
 *
 * A partition is reading, full or failing. reading -> full: more is in hand than is read ahead; the
 * fetch waits for it, and after the patience the partition is paused until nothing of it is in hand.
 * reading -> failing: a batch was handled in part; the partition is paused and what is left of the
 * batch is handed over again after the time asked for, until all of it is handled.
 *
 * A rebalance makes everything in hand somebody else's, perhaps: what waits is dropped, handlers at
 * work end without effect on positions, and a partition that comes back waits, paused, for them.
 * Pauses outlive rebalances in the library, so every pause here has its resume.
 */
export class BatchRunner {
  private readonly handle: BatchHandler;
  private readonly log: ConsumerOptions['log'];
  private readonly controls: PartitionControls;
  private readonly partitions = new Map<string, PartitionWork>();
  /** Handlers at work. */
  private readonly running = new Set<Promise<unknown>>();
  private waiting = new AbortController();

  constructor(options: Pick<ConsumerOptions, 'handle' | 'log'>, controls: PartitionControls) {
    this.handle = options.handle;
    this.log = options.log;
    this.controls = controls;
  }

  /** Partitions of which something is in hand. */
  get busyCount(): number {
    return this.partitions.size;
  }

  /**
   * Resolves when more may be fetched: at once, unless the partition is full. Never rejects. Positions
   * advance in the order of the batches, whatever the order in which they are handled.
   */
  async run(batch: IncomingBatch, progress: BatchProgress): Promise<void> {
    const key = partitionKey(batch.topic, batch.partition);
    const work = this.partitions.get(key) ?? new PartitionWork();
    if (work.isForeign || work.isPaused) {
      this.pause(batch, work);
      return;
    }
    this.partitions.set(key, work);
    progress.taken();
    void this.take(work.add(batch, progress), work);
    if (work.characters > READ_AHEAD_CHARACTERS) await this.untilEmpty(batch, work);
  }

  /** The group was joined anew: what is in hand may be somebody else's, and comes again if it is not. */
  forget(): void {
    this.waiting.abort();
    this.waiting = new AbortController();
    for (const [key, work] of this.partitions) {
      work.isForeign = true;
      if (!work.isHandling) this.leave(key, work);
    }
  }

  /** Hands nothing over again; resolves when no handler runs. */
  async drained(): Promise<void> {
    this.close();
    await Promise.all(this.running);
  }

  /** Ends the waiting of failing partitions; handlers that run are not interrupted. */
  close(): void {
    this.waiting.abort();
  }

  private async untilEmpty(partition: Partition, work: PartitionWork): Promise<void> {
    const patienceMs = work.isFailing ? PATIENCE_WITH_FAILING_MS : PATIENCE_MS;
    try {
      await withDeadline(work.empty, patienceMs, 'handling batches');
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      work.isFailing = true;
      this.pause(partition, work);
    }
  }

  /** Until all of it is handled, or it is not ours any more. */
  private async take(piece: Piece, work: PartitionWork): Promise<void> {
    const { signal } = this.waiting;
    const { topic, partition } = piece.batch;
    const key = partitionKey(topic, partition);
    for (;;) {
      const retryAfterMs = await this.handleRest(piece, work);
      if (work.isForeign || retryAfterMs === undefined) break;
      work.isFailing = true;
      this.pause({ topic, partition }, work);
      await sleep(retryAfterMs, signal);
      if (signal.aborted || piece.rest.messages.length === 0) break;
    }
    if (work.isEmpty || (work.isForeign && !work.isHandling)) this.leave(key, work);
  }

  /** @returns milliseconds until the rest is to be handed over again; undefined where there is none */
  private async handleRest(piece: Piece, work: PartitionWork): Promise<number | undefined> {
    const handling = this.verdictOf(piece.rest);
    this.running.add(handling);
    work.begin();
    const { processed, retryAfterMs } = await handling;
    work.end();
    this.running.delete(handling);
    const isPartial = work.handled(piece, processed);
    return isPartial || retryAfterMs !== undefined ? (retryAfterMs ?? RETRY_DEFAULT_MS) : undefined;
  }

  private async verdictOf(batch: IncomingBatch): Promise<BatchVerdict> {
    try {
      return await this.handle(batch);
    } catch (error) {
      const { topic, partition } = batch;
      this.log.error('a batch handler threw; the batch is handed over again', {
        topic,
        partition,
        error,
      });
      return { processed: 0, retryAfterMs: RETRY_AFTER_THROW_MS };
    }
  }

  private pause(partition: Partition, work: PartitionWork): void {
    work.isPaused = true;
    this.controls.pause(partition);
  }

  /** Nothing of the partition is in hand, or ours: it is read again if it was not. */
  private leave(key: string, work: PartitionWork): void {
    if (this.partitions.get(key) !== work) return;
    this.partitions.delete(key);
    if (work.isPaused && work.partition) this.controls.resume(work.partition);
  }
}
