import { DeadlineError, withDeadline } from '../retry.js';
import { partitionKey, type Partition } from './partitions.js';
import type { BatchHandler, BatchVerdict, ConsumerOptions, IncomingBatch } from './ports.js';

/** What a runner does to the partitions of its consumer. */
export interface PartitionControls {
  pause(partition: Partition): void;
  resume(partition: Partition): void;
}

/**
 * How long a batch may hold up the other partitions. The library fetches again only when every batch
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
 * Runs the handler for one batch at a time of each partition. A partition is reading, busy or paused.
 *
 * reading -> busy: a batch arrived. busy -> reading: handled in full within the patience.
 * busy -> paused: the patience is over (it resumes when the handler ends) or the handler asks for a
 * retry (it resumes after that time). While paused nothing of the partition is fetched; then reading
 * starts at the first unhandled message, because only handled ones are ever resolved.
 *
 * A rebalance can hand a partition back while an old handler still works on it: the new batch is
 * turned away and the partition waits, paused, for that handler. Pauses outlive rebalances in the
 * library, so every pause here has its resume, wherever the partition is by then.
 */
export class BatchRunner {
  private readonly handle: BatchHandler;
  private readonly log: ConsumerOptions['log'];
  private readonly controls: PartitionControls;
  private readonly busy = new Map<string, Promise<void>>();
  /** Partitions whose last batch hung or was not handled in full. */
  private readonly failing = new Set<string>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private isClosed = false;

  constructor(options: Pick<ConsumerOptions, 'handle' | 'log'>, controls: PartitionControls) {
    this.handle = options.handle;
    this.log = options.log;
    this.controls = controls;
  }

  get busyCount(): number {
    return this.busy.size;
  }

  /**
   * Resolves when the batch is handled, turned away, or has used up the patience. Never rejects.
   * `advance` is told the offset of the last handled message, before the partition is read again.
   */
  async run(batch: IncomingBatch, advance: (lastHandledOffset: string) => void): Promise<void> {
    const key = partitionKey(batch.topic, batch.partition);
    if (this.busy.has(key)) {
      this.controls.pause(batch);
      return;
    }
    const work = this.handleAndSettle(batch, advance);
    this.busy.set(key, work);
    try {
      const patienceMs = this.failing.has(key) ? PATIENCE_WITH_FAILING_MS : PATIENCE_MS;
      await withDeadline(work, patienceMs, 'handling a batch');
    } catch (error) {
      if (error instanceof DeadlineError && this.busy.has(key)) {
        this.failing.add(key);
        this.controls.pause(batch);
      }
    }
  }

  /** Resolves when no handler runs. */
  async drained(): Promise<void> {
    await Promise.all(this.busy.values());
  }

  /** Ends the waiting of paused partitions; handlers that run are not interrupted. */
  close(): void {
    this.isClosed = true;
    this.timers.forEach((timer) => {
      clearTimeout(timer);
    });
    this.timers.clear();
  }

  private async handleAndSettle(
    batch: IncomingBatch,
    advance: (lastHandledOffset: string) => void,
  ): Promise<void> {
    const verdict = await this.verdictOf(batch);
    const processed = Math.max(0, Math.min(verdict.processed, batch.messages.length));
    const lastHandled = batch.messages[processed - 1];
    if (lastHandled !== undefined) {
      advance(lastHandled.offset);
    }
    const key = partitionKey(batch.topic, batch.partition);
    this.busy.delete(key);
    const isPartial = processed < batch.messages.length;
    if (isPartial || verdict.retryAfterMs !== undefined) {
      this.failing.add(key);
      this.pauseFor(batch, verdict.retryAfterMs ?? RETRY_DEFAULT_MS);
    } else {
      this.failing.delete(key);
      // It was paused if the patience was over or a batch was turned away; if not, nothing changes.
      this.controls.resume(batch);
    }
  }

  private async verdictOf(batch: IncomingBatch): Promise<BatchVerdict> {
    try {
      return await this.handle(batch);
    } catch (error) {
      const { topic, partition } = batch;
      this.log.error('a batch handler threw; the batch is read again', { topic, partition, error });
      return { processed: 0, retryAfterMs: RETRY_AFTER_THROW_MS };
    }
  }

  private pauseFor({ topic, partition }: Partition, delayMs: number): void {
    if (this.isClosed) {
      return;
    }
    const key = partitionKey(topic, partition);
    this.controls.pause({ topic, partition });
    const timer = setTimeout(() => {
      this.timers.delete(key);
      this.controls.resume({ topic, partition });
    }, delayMs);
    this.timers.set(key, timer);
  }
}
