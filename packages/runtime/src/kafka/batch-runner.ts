import { setMaxListeners } from 'node:events';
import { REAL_CLOCK } from '../clock.js';
import type { Clock } from '../clock.js';
import { DeadlineError, backoffMs, sleep, withDeadline } from '../retry.js';
import { PartitionWork, type Piece } from './partition-work.js';
import { partitionKey, type Partition } from './partitions.js';
import type { BatchHandler, BatchVerdict, ConsumerOptions, IncomingBatch } from './ports.js';

/** What a runner does to the partitions of its consumer. */
export interface PartitionControls {
  pause(partition: Partition): void;
  resume(partition: Partition): void;
  /** Everything of it up to this offset is handled. Not told of what may be somebody else's. */
  advance(partition: Partition, lastHandledOffset: string): void;
}

export interface BatchRunnerOptions extends Pick<
  ConsumerOptions,
  'handle' | 'log' | 'readAheadCharacters' | 'pressed'
> {
  /** Of the pauses before what failed is handed over again. */
  readonly clock?: Clock;
}

/**
 * Of one partition in hand, in characters: with more of it nothing is read ahead. Small enough that
 * what a member has in hand fits its memory, large enough for what gathers while a transaction runs.
 */
const READ_AHEAD_CHARACTERS = 65_536;
/**
 * The same of a partition of which something failed: as much as one fetch brings at the most. Messages
 * of shards that work come between those of one that does not.
 */
const READ_AHEAD_OF_FAILING = 1_048_576;
/**
 * How long a full partition may hold up the others. The library fetches again only when every batch
 * of the last fetch has returned, so one shard that hangs would stop them all. Not shorter, because
 * a partition that is paused and resumed can miss the fetch under way (one second).
 */
const PATIENCE_MS = 3000;
/** For a partition that failed or hung, until it is handled in full: it must not do so each time. */
const PATIENCE_WITH_FAILING_MS = 100;
/**
 * After a partial batch without a wish of the handler. Short at its longest: once a frozen owner's
 * locks are gone nobody is to wait much longer.
 */
const RETRY = { minMs: 100, maxMs: 1_000 };
/** After a handler threw, which it must not. */
const RETRY_AFTER_THROW_MS = 1000;

/**
 * Hands batches to the handler as they come, so that those of the next transaction gather while the
 * last one runs, and tells how far each partition is handled without a gap.
 *
 * A partition is reading, full or stopped. reading -> full: more is in hand than is read ahead; the
 * fetch waits for it, and after the patience the partition is paused until nothing of it is in hand.
 * reading -> stopped: the handler said so; the partition is paused until nothing of it is in hand.
 * What a handler could not do is handed over again after the time it asked for, all of a partition
 * together, while the partition is read on behind it.
 *
 * A rebalance makes everything in hand somebody else's, perhaps: what waits is dropped, handlers at
 * work end without effect on positions, and a partition that comes back waits, paused, for them.
 * Pauses outlive rebalances in the library, so every pause here has its resume.
 */
export class BatchRunner {
  private readonly handle: BatchHandler;
  private readonly log: ConsumerOptions['log'];
  private readonly controls: PartitionControls;
  private readonly readAheadCharacters: number;
  private readonly pressed: () => void;
  private readonly clock: Clock;
  private readonly partitions = new Map<string, PartitionWork>();
  /** Handlers at work. */
  private readonly running = new Set<Promise<unknown>>();
  private waiting = newWait();
  /** Batches that hold the next fetch back. */
  private held = 0;

  constructor(options: BatchRunnerOptions, controls: PartitionControls) {
    this.readAheadCharacters = options.readAheadCharacters ?? 0;
    this.pressed = options.pressed ?? (() => undefined);
    this.handle = options.handle;
    this.log = options.log;
    this.clock = options.clock ?? REAL_CLOCK;
    this.controls = controls;
  }

  /** Partitions of which something is in hand. */
  get busyCount(): number {
    return this.partitions.size;
  }

  /** Whether the next fetch waits for a partition, or may leave one out. */
  get holdsFetches(): boolean {
    return this.held > 0 || [...this.partitions.values()].some((work) => work.isPaused);
  }

  /**
   * Resolves when more may be fetched: at once, unless the partition is full. Never rejects. Positions
   * advance in the order of the batches, whatever the order in which they are handled.
   * @param taken told at once that the batch is in hand, with so many characters: the partition is
   *   read on behind it. Not told of a batch that is turned away.
   */
  async run(batch: IncomingBatch, taken: (characters: number) => void): Promise<void> {
    const key = keyOf(batch);
    const work = this.partitions.get(key) ?? new PartitionWork(batch);
    if (work.isForeign || work.isPaused) {
      this.pause(work);
      return;
    }
    this.partitions.set(key, work);
    const characters = charactersOf(batch);
    taken(characters);
    void this.take(work.add(batch, characters), work);
    const isFull = this.isFull(work);
    if (isFull || this.characters > this.readAheadCharacters / 2) this.pressed();
    if (isFull) await this.untilEmpty(work);
  }

  /** The group was joined anew: what is in hand may be somebody else's, and comes again if it is not. */
  forget(): void {
    this.waiting.abort();
    this.waiting = newWait();
    this.pressed();
    for (const work of this.partitions.values()) {
      work.isForeign = true;
      this.leaveIfDone(work);
    }
  }

  /** Hands nothing over again; resolves when no handler runs. */
  async drained(): Promise<void> {
    this.close();
    this.pressed();
    await Promise.all(this.running);
  }

  /** Ends the waiting of failing partitions; handlers that run are not interrupted. */
  close(): void {
    this.waiting.abort();
  }

  private isFull({ characters, isFailing }: PartitionWork): boolean {
    if (isFailing) return characters > READ_AHEAD_OF_FAILING;
    return characters > READ_AHEAD_CHARACTERS && this.characters > this.readAheadCharacters;
  }

  /** Of all partitions in hand but those that fail: no haste makes these smaller. */
  private get characters(): number {
    let sum = 0;
    for (const work of this.partitions.values()) sum += work.isFailing ? 0 : work.characters;
    return sum;
  }

  private async untilEmpty(work: PartitionWork): Promise<void> {
    const patienceMs = work.isFailing ? PATIENCE_WITH_FAILING_MS : PATIENCE_MS;
    this.held += 1;
    try {
      await withDeadline(work.empty, patienceMs, 'handling batches');
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      work.isFailing = true;
      if (this.isCurrent(work)) this.pause(work);
    } finally {
      this.held -= 1;
    }
  }

  /** What fails of it is left to whoever hands over again what failed of its partition. */
  private async take(piece: Piece, work: PartitionWork): Promise<void> {
    const verdict = await this.handOver([piece], { work, attempt: 0 });
    if (!work.isForeign && work.failed.length > 0) await this.retry(work, verdict);
    this.leaveIfDone(work);
  }

  /** Until nothing of the partition has failed, or it is not ours any more. */
  private async retry(work: PartitionWork, verdict: BatchVerdict): Promise<void> {
    work.isFailing = true;
    if (work.isRetrying) return;
    work.isRetrying = true;
    const { signal } = this.waiting;
    const { clock } = this;
    let last = verdict;
    for (let attempt = 1; work.failed.length > 0 && !work.isForeign; attempt += 1) {
      const pauseMs = backoffMs(attempt - 1, { ...RETRY, random: clock.random });
      await sleep(last.retryAfterMs ?? pauseMs, signal, clock);
      if (signal.aborted) break;
      last = await this.handOver(work.failed, { work, attempt });
    }
    work.isRetrying = false;
    work.isFailing = work.failed.length > 0;
  }

  private async handOver(
    pieces: readonly Piece[],
    { work, attempt }: { readonly work: PartitionWork; readonly attempt: number },
  ): Promise<BatchVerdict> {
    const messages = pieces.flatMap(({ rest }) => rest);
    const handling = this.verdictOf({ ...work.partition, messages }, attempt);
    this.running.add(handling);
    work.begin();
    if (work.isPaused) this.pressed();
    const verdict = await handling;
    work.end();
    this.running.delete(handling);
    const offset = work.handled(pieces, verdict.processed);
    if (offset !== undefined && !work.isForeign) this.controls.advance(work.partition, offset);
    if (verdict.stops === true && !work.isEmpty && !work.isForeign) this.pause(work);
    return verdict;
  }

  private async verdictOf(batch: IncomingBatch, attempt: number): Promise<BatchVerdict> {
    try {
      return await this.handle(batch, attempt);
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

  private pause(work: PartitionWork): void {
    work.isPaused = true;
    this.controls.pause(work.partition);
  }

  private leaveIfDone(work: PartitionWork): void {
    if (work.isEmpty || (work.isForeign && !work.isHandling)) this.leave(work);
  }

  /** Nothing of the partition is in hand, or ours: it is read again if it was not. */
  private leave(work: PartitionWork): void {
    if (!this.isCurrent(work)) return;
    this.partitions.delete(keyOf(work.partition));
    // Somebody may still wait for it to be handled, and would hold the fetch back.
    work.leave();
    if (work.isPaused) this.controls.resume(work.partition);
  }

  /** A work that was left has no say over its partition any more: nobody would undo it. */
  private isCurrent(work: PartitionWork): boolean {
    return this.partitions.get(keyOf(work.partition)) === work;
  }
}

const keyOf = ({ topic, partition }: Partition): string => partitionKey(topic, partition);

/** Every partition that fails waits for it; Node warns of more than ten. */
function newWait(): AbortController {
  const wait = new AbortController();
  setMaxListeners(0, wait.signal);
  return wait;
}

/** Of all its messages. */
function charactersOf({ messages }: IncomingBatch): number {
  return messages.reduce((sum, { value }) => sum + value.length, 0);
}
