import { REAL_CLOCK, backoffMs } from '@surety/runtime';
import type { Clock, LeaseKeeper, Logger, MessagePublisher, Metrics } from '@surety/runtime';
import { AcknowledgedRows } from './acknowledged-rows.js';
import { OutboxCursor } from './outbox-cursor.js';
import type { Outbox, OutboxMessage } from './outbox-port.js';
import { PAGE_ROWS_MIN, nextPageRows } from './page-size.js';
import { WakeUp } from './wake-up.js';

/** Without a ring, while the bell works: rings are allowed to get lost. */
const POLL_MS = 250;
/** While the bell is away polling is all there is. */
const POLL_WITHOUT_BELL_MS = 25;
/** How often somebody without the lease looks whether it has it now. */
const FOLLOWER_POLL_MS = 250;
const BACKOFF = { minMs: 50, maxMs: 2_000 };
/** Acknowledged rows whose deletion may lag behind: bounds what a crash sends again. */
const UNDELETED_ROWS_MAX = 2_000;

const HEADERS = { 'content-type': 'application/json' };

export interface ShardRelayOptions {
  readonly shard: number;
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
 *
 * It follows (somebody else has the lease: it reads nothing), relays, or backs off. A new holding of
 * the lease begins at the head; so does the first round after a failure, whatever failed. A failure
 * of this shard or of Kafka never ends the loop and never touches the loops of other shards.
 */
export class ShardRelay {
  readonly #options: ShardRelayOptions;
  readonly #cursor = new OutboxCursor();
  readonly #acknowledged: AcknowledgedRows;
  readonly #clock: Clock;
  readonly #wakeUp: WakeUp;
  #token: bigint | undefined;
  #pageRows = PAGE_ROWS_MIN;
  #failures = 0;
  #isStopping = false;
  #done: Promise<void> | undefined;

  constructor(options: ShardRelayOptions) {
    this.#options = options;
    this.#clock = options.clock ?? REAL_CLOCK;
    this.#wakeUp = new WakeUp(this.#clock);
    this.#acknowledged = new AcknowledgedRows(options.outbox);
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
    await this.#acknowledged.settle().catch((error: unknown) => {
      this.#report(error);
    });
  }

  async #turn(): Promise<void> {
    const token = this.#options.lease.token;
    if (token === undefined) {
      await this.#wakeUp.wait(FOLLOWER_POLL_MS);
      return;
    }
    try {
      if (token !== this.#token) this.#cursor.restart(this.#clock.nowMs());
      this.#token = token;
      const published = await this.#round();
      if (this.#failures > 0) this.#reportRecovery();
      if (published === 0) await this.#wakeUp.wait(this.#idleMs());
    } catch (error) {
      this.#report(error);
      this.#cursor.restart(this.#clock.nowMs());
      await this.#backOff();
    }
  }

  /** Read, publish, hand over for deletion. Returns the number of messages published. */
  async #round(): Promise<number> {
    this.#acknowledged.throwFailure();
    const messages = await this.#read();
    if (messages.length === 0) return 0;
    await this.#options.publisher.publish(
      messages.map(({ topic, partition, payload }) => ({
        topic,
        partition,
        value: payload,
        headers: HEADERS,
      })),
    );
    this.#acknowledged.add(messages.map((message) => message.seq));
    this.#options.metrics.batchItems.observe({ unit: 'relay' }, messages.length);
    if (this.#acknowledged.waiting > UNDELETED_ROWS_MAX) await this.#acknowledged.settle();
    return messages.length;
  }

  async #read(): Promise<readonly OutboxMessage[]> {
    const { outbox } = this.#options;
    const read = this.#cursor.plan(this.#clock.nowMs());
    // A sweep must not meet rows that are acknowledged and not yet deleted.
    if (read.isSweep) await this.#acknowledged.settle();
    const rowsMax = this.#pageRows;
    const rows = await outbox.readAfter(read.afterSeq, rowsMax);
    const found = read.gaps.length > 0 ? await outbox.readExactly(read.gaps) : [];
    const result = {
      seqs: rows.map((row) => row.seq),
      isFull: rows.length >= rowsMax,
      foundGaps: found.map((row) => row.seq),
    };
    this.#cursor.record(read, result, this.#clock.nowMs());
    if (rows.length > 0) this.#pageRows = nextPageRows(rows);
    return union(rows, found);
  }

  #idleMs(): number {
    const pollMs = this.#options.isBellAvailable() ? POLL_MS : POLL_WITHOUT_BELL_MS;
    return Math.min(pollMs, this.#cursor.dueInMs(this.#clock.nowMs()));
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
