import { REAL_CLOCK, backoffMs } from '@surety/runtime';
import type { Clock, LeaseKeeper, Logger, MessagePublisher, Metrics } from '@surety/runtime';
import { AcknowledgedRows } from './acknowledged-rows.js';
import { OutboxCursor } from './outbox-cursor.js';
import type { OutboxRead } from './outbox-cursor.js';
import type { Outbox, OutboxMessage } from './outbox-port.js';
import { PAGE_ROWS_MIN, nextPageRows } from './page-size.js';
import { WakeUp } from './wake-up.js';

/**
 * Without a ring, while the bell works: rings are allowed to get lost. Where nothing has come for a
 * while a look is in vain but for that, so it waits for a tenth of that while.
 */
const POLL_MS = 250;
const POLL_OF_A_QUIET_SHARD_MS = 1_000;
const QUIET_SHARE = 0.1;
/** While the bell is away polling is all there is. */
const POLL_WITHOUT_BELL_MS = 25;
/** How often somebody without the lease looks whether it has it now. */
const FOLLOWER_POLL_MS = 250;
const BACKOFF = { minMs: 50, maxMs: 2_000 };

export interface ShardRelayOptions {
  readonly shard: number;
  /** That each topic has, as far as is known. Rows for one beyond them go to one of these. */
  readonly partitions: number;
  readonly outbox: Outbox;
  readonly publisher: MessagePublisher;
  readonly lease: Pick<LeaseKeeper, 'token'>;
  readonly isBellAvailable: () => boolean;
  readonly clock?: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Publishes what is committed in the outbox of one shard and deletes exactly what was acknowledged.
 * Deletions gather for a moment and travel with a read, so that a page costs one round trip to the
 * database and mostly no commit; a crash sends again what was not deleted yet.
 *
 * It follows (somebody else has the lease: it reads nothing), relays, or backs off. A new holding of
 * the lease begins at the head; so does the first round after a failure, whatever failed. A failure
 * of this shard or of Kafka never ends the loop and never touches the loops of other shards.
 */
export class ShardRelay {
  readonly #options: ShardRelayOptions;
  readonly #cursor = new OutboxCursor();
  readonly #acknowledged = new AcknowledgedRows();
  readonly #clock: Clock;
  readonly #wakeUp: WakeUp;
  #token: bigint | undefined;
  #pageRows = PAGE_ROWS_MIN;
  #failures = 0;
  /** When there was a row to publish, or the loop began. */
  #lastRowAtMs: number;
  #isStopping = false;
  #done: Promise<void> | undefined;

  constructor(options: ShardRelayOptions) {
    this.#options = options;
    this.#clock = options.clock ?? REAL_CLOCK;
    this.#wakeUp = new WakeUp(this.#clock);
    this.#lastRowAtMs = this.#clock.nowMs();
  }

  start(): void {
    this.#done ??= this.#loop();
  }

  /** The outbox has new rows, or there is another reason to look at once. */
  wake(): void {
    this.#wakeUp.ring();
  }

  /** Finishes the round in hand and the deletion of what was acknowledged. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wakeUp.ring();
    await this.#done;
  }

  async #loop(): Promise<void> {
    while (!this.#isStopping) await this.#turn();
    await this.#settle();
  }

  async #turn(): Promise<void> {
    const token = this.#options.lease.token;
    if (token === undefined) {
      // Whoever leads now begins at the head, and would publish again what is still there.
      await this.#settle();
      await this.#wakeUp.wait(FOLLOWER_POLL_MS);
      return;
    }
    try {
      if (token !== this.#token) this.#cursor.restart(this.#clock.nowMs());
      this.#token = token;
      const isMoreWaiting = await this.#round();
      if (this.#failures > 0) this.#reportRecovery();
      if (!isMoreWaiting) await this.#wakeUp.wait(this.#idleMs());
    } catch (error) {
      this.#report(error);
      this.#cursor.restart(this.#clock.nowMs());
      await this.#backOff();
    }
  }

  /**
   * Reads and publishes a page, and deletes what is due. Returns whether the page was full. If it was
   * not, whatever was committed since rings, or has rung: to look for it unasked is mostly in vain.
   */
  async #round(): Promise<boolean> {
    const { messages, isFull } = await this.#advance();
    if (messages.length === 0) return isFull;
    this.#lastRowAtMs = this.#clock.nowMs();
    // A partition that is gone, or is not there yet, must not hold up a page: any other one will do.
    const { publisher, partitions } = this.#options;
    await publisher.publish(
      messages.map(({ topic, partition, payload }) => ({
        ...{ topic, value: payload },
        partition: partition % partitions,
      })),
    );
    const seqs = messages.map((message) => message.seq);
    this.#acknowledged.add(seqs, this.#clock.nowMs());
    this.#options.metrics.batchItems.observe({ unit: 'relay' }, messages.length);
    return isFull;
  }

  async #advance(): Promise<{ messages: readonly OutboxMessage[]; isFull: boolean }> {
    const read = this.#cursor.plan(this.#clock.nowMs());
    const rowsMax = this.#pageRows;
    const { afterSeq, gaps } = read;
    const acknowledged = this.#deletedWith(read);
    const page = await this.#options.outbox.advance({ acknowledged, afterSeq, rowsMax, gaps });
    this.#acknowledged.deleted(acknowledged);
    const { rows, found } = page;
    const result = {
      seqs: rows.map((row) => row.seq),
      isFull: rows.length >= rowsMax,
      foundGaps: found.map((row) => row.seq),
    };
    this.#cursor.record(read, result, this.#clock.nowMs());
    if (rows.length > 0) this.#pageRows = nextPageRows(rows);
    return { messages: union(rows, found), isFull: result.isFull };
  }

  /** A sweep would find, and publish again, what is not deleted before it. */
  #deletedWith(read: OutboxRead): readonly bigint[] {
    const isDue = read.isSweep || this.#acknowledged.dueInMs(read.plannedAtMs) === 0;
    return isDue ? this.#acknowledged.seqs : [];
  }

  /** For whoever does not read on. What fails stays, and is tried again with the next call. */
  async #settle(): Promise<void> {
    const { seqs } = this.#acknowledged;
    if (seqs.length === 0) return;
    try {
      await this.#options.outbox.delete(seqs);
      this.#acknowledged.deleted(seqs);
    } catch (error) {
      this.#report(error);
    }
  }

  #idleMs(): number {
    const nowMs = this.#clock.nowMs();
    return Math.min(
      this.#pollMs(nowMs),
      this.#cursor.dueInMs(nowMs),
      this.#acknowledged.dueInMs(nowMs),
    );
  }

  #pollMs(nowMs: number): number {
    if (!this.#options.isBellAvailable()) return POLL_WITHOUT_BELL_MS;
    const quietMs = nowMs - this.#lastRowAtMs;
    return Math.min(POLL_OF_A_QUIET_SHARD_MS, Math.max(POLL_MS, quietMs * QUIET_SHARE));
  }

  async #backOff(): Promise<void> {
    const { random } = this.#clock;
    const pauseMs = backoffMs(this.#failures - 1, { ...BACKOFF, random });
    const endsAtMs = this.#clock.nowMs() + pauseMs;
    // Rings go on while Kafka is away: they must not turn the backoff into a spin.
    for (;;) {
      const remainingMs = endsAtMs - this.#clock.nowMs();
      if (remainingMs <= 0 || this.#isStopping) return;
      await this.#wakeUp.wait(remainingMs);
    }
  }

  #report(error: unknown): void {
    const { metrics, log, shard } = this.#options;
    metrics.errorsTotal.inc({ kind: 'relay', shard });
    if (this.#failures === 0) log.warn('relaying fails, it is tried again', { shard, error });
    this.#failures += 1;
  }

  #reportRecovery(): void {
    const { log, shard } = this.#options;
    log.info('relaying works again', { shard, failures: this.#failures });
    this.#failures = 0;
  }
}

/** A sweep can meet a row that was asked for as a gap too. */
function union(
  rows: readonly OutboxMessage[],
  found: readonly OutboxMessage[],
): readonly OutboxMessage[] {
  if (found.length === 0) return rows;
  return [...new Map([...found, ...rows].map((row) => [row.seq, row])).values()];
}
