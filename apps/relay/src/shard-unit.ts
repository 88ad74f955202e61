import { CHANNELS, LeaseKeeper, Loop, REAL_CLOCK } from '@surety/runtime';
import type {
  Clock,
  Lease,
  ListeningDoorbell,
  Logger,
  MessagePublisher,
  Metrics,
} from '@surety/runtime';
import type { Outbox } from './outbox-port.js';
import { ShardRelay } from './shard-relay.js';

/** A relay that dies is followed by another one after at most this long. */
export const LEASE_TTL_MS = 6_000;
const LEASE_KEEP_EVERY_MS = 1_500;
const DEPTH_EVERY_MS = 2_000;

export interface ShardUnitOptions {
  readonly shard: number;
  /** That each topic has, as far as is known. Rows for one beyond them go to one of these. */
  readonly partitions: number;
  readonly outbox: Outbox;
  readonly lease: Lease;
  readonly publisher: MessagePublisher;
  readonly doorbell: ListeningDoorbell;
  readonly clock?: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Everything that the relay runs for one shard: lease, loop, gauges. Units share no fate. */
export class ShardUnit {
  readonly #options: ShardUnitOptions;
  readonly #lease: LeaseKeeper;
  readonly #relay: ShardRelay;
  readonly #keeper: Loop;
  readonly #gauges: Loop;
  /** What ends its listening to the bell. */
  readonly #unsubscribe: (() => void)[] = [];

  constructor(options: ShardUnitOptions) {
    this.#options = options;
    const { clock = REAL_CLOCK, doorbell } = options;
    const nowMs = (): number => clock.nowMs();
    this.#lease = new LeaseKeeper({ lease: options.lease, ttlMs: LEASE_TTL_MS, nowMs });
    const isBellAvailable = (): boolean => doorbell.isListening;
    this.#relay = new ShardRelay({ ...options, isBellAvailable, lease: this.#lease });
    this.#keeper = this.#loop('lease', LEASE_KEEP_EVERY_MS, () => this.#keepLease());
    this.#gauges = this.#loop('outbox_depth', DEPTH_EVERY_MS, () => this.#sample());
  }

  async start(): Promise<void> {
    this.#keeper.start();
    this.#relay.start();
    this.#gauges.start();
    const { doorbell, shard } = this.#options;
    const wake = (): void => {
      this.#relay.wake();
    };
    // It may be in the midst of a wait that counts on the bell.
    this.#unsubscribe.push(doorbell.onDeaf(wake));
    this.#unsubscribe.push(await doorbell.subscribe(CHANNELS.outbox(shard), wake));
  }

  /** Finishes the batch in hand, then gives the lease to whoever wants it. */
  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    await Promise.all([this.#gauges.stop(), this.#relay.stop()]);
    await this.#keeper.stop();
    await this.#lease.release().catch((error: unknown) => {
      this.#failed('lease', error);
    });
  }

  async #keepLease(): Promise<void> {
    const before = this.#lease.token;
    await this.#lease.keep();
    const { token } = this.#lease;
    if (token === before) return;
    const { log, shard } = this.#options;
    if (token === undefined) {
      log.info('another relay has the shard', { shard });
    } else {
      log.info('relaying the shard', { shard, token: token.toString() });
      this.#relay.wake();
    }
  }

  async #sample(): Promise<void> {
    const { outbox, metrics, shard } = this.#options;
    const { rows, oldestAgeSeconds } = await outbox.depth();
    metrics.outboxRows.set({ shard }, rows);
    metrics.outboxAgeSeconds.set({ shard }, oldestAgeSeconds);
  }

  /** The first failure in a row is told; a shard that stays away is one piece of news. */
  #loop(kind: string, intervalMs: number, run: () => Promise<void>): Loop {
    const { clock = REAL_CLOCK } = this.#options;
    return new Loop({
      intervalMs,
      clock,
      run,
      failed: (error, inARow) => {
        if (inARow === 1) this.#failed(kind, error);
      },
    });
  }

  #failed(kind: string, error: unknown): void {
    const { metrics, log, shard } = this.#options;
    metrics.errorsTotal.inc({ kind, shard });
    log.warn(`${kind} fails, it is tried again`, { shard, error });
  }
}
