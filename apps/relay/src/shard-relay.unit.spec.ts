import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { REAL_CLOCK, createLogger, createMetrics } from '@surety/runtime';
import type { Clock, OutgoingMessage } from '@surety/runtime';
import type { Outbox, OutboxAdvance, OutboxMessage, OutboxPage } from './outbox-port.js';
import { ShardRelay } from './shard-relay.js';

const log = createLogger({ process: 'relay', instance: 'spec', level: 'error' });
log.silent = true;

class OutboxDouble implements Outbox {
  readonly rows = new Map<bigint, OutboxMessage>();
  reads = 0;
  deletions = 0;
  /** Deletions that had something to delete, whichever way they came. */
  removals = 0;
  sweeps = 0;
  /** Rows of each read that found any. */
  readonly pages: number[] = [];
  isAway = false;

  commit(...seqs: readonly number[]): void {
    for (const seq of seqs) {
      this.commitTo(0, seq);
    }
  }

  commitTo(partition: number, seq: number): void {
    const message = { topic: 'topic', partition, payload: `payload-${seq}` };
    this.rows.set(BigInt(seq), { seq: BigInt(seq), ...message });
  }

  async advance({ acknowledged, afterSeq, rowsMax, gaps }: OutboxAdvance): Promise<OutboxPage> {
    this.reads += 1;
    if (afterSeq === 0n) this.sweeps += 1;
    this.remove(acknowledged);
    const rows = [...this.rows.values()].filter((row) => row.seq > afterSeq);
    const page = rows.sort((left, right) => Number(left.seq - right.seq)).slice(0, rowsMax);
    if (page.length > 0) this.pages.push(page.length);
    return {
      rows: page,
      found: gaps.flatMap((seq) => this.rows.get(seq) ?? []),
    };
  }

  async delete(seqs: readonly bigint[]): Promise<void> {
    this.deletions += 1;
    this.remove(seqs);
  }

  async depth(): Promise<{ rows: number; oldestAgeSeconds: number }> {
    return { rows: this.rows.size, oldestAgeSeconds: 0 };
  }

  private remove(seqs: readonly bigint[]): void {
    if (this.isAway) throw new Error('the shard is away');
    if (seqs.length > 0) this.removals += 1;
    for (const seq of seqs) this.rows.delete(seq);
  }
}

class Scene {
  readonly outbox = new OutboxDouble();
  readonly published: string[] = [];
  /** Of each message that was published. */
  readonly partitions: number[] = [];
  token: bigint | undefined = 1n;
  publishFailures = 0;
  publishAttempts = 0;
  onPublished: () => void = () => undefined;
  private readonly leaseView: { readonly token: bigint | undefined };
  readonly relay: ShardRelay;

  constructor(
    bell: { readonly isAvailable: boolean; readonly clock?: Clock } = { isAvailable: false },
  ) {
    const token = (): bigint | undefined => this.token;
    this.leaseView = {
      get token() {
        return token();
      },
    };
    this.relay = new ShardRelay({
      shard: 0,
      partitions: 8,
      outbox: this.outbox,
      publisher: {
        publish: async (messages: readonly OutgoingMessage[]) => {
          this.publishAttempts += 1;
          if (this.publishFailures > 0) {
            this.publishFailures -= 1;
            throw new Error('not acknowledged');
          }
          this.published.push(...messages.map((message) => message.value));
          this.partitions.push(...messages.map((message) => message.partition));
          this.onPublished();
        },
        close: async () => undefined,
      },
      lease: this.leaseView,
      isBellAvailable: () => bell.isAvailable,
      clock: bell.clock ?? REAL_CLOCK,
      metrics: createMetrics('relay'),
      log,
    });
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Time that passes when somebody waits: each wait is over at once, and so late it is then. */
function flyingClock(): Clock {
  let nowMs = 0;
  const after = (ms: number, run: () => void): (() => void) => {
    const soon = setImmediate(() => {
      nowMs += ms;
      run();
    });
    return () => {
      clearImmediate(soon);
    };
  };
  return { ...REAL_CLOCK, nowMs: () => nowMs, after };
}

describe('a relay that nobody rings for', () => {
  let scene: Scene;
  let clock: Clock;
  let readsAtMs: number[];
  const distances = (): number[] => readsAtMs.slice(1).map((ms, at) => ms - (readsAtMs[at] ?? ms));
  beforeEach(() => {
    clock = flyingClock();
    scene = new Scene({ isAvailable: true, clock });
    readsAtMs = [];
    const { outbox } = scene;
    const advance = outbox.advance.bind(outbox);
    outbox.advance = (request) => {
      readsAtMs.push(clock.nowMs());
      return advance(request);
    };
    scene.relay.start();
  });
  afterEach(async () => {
    await scene.relay.stop();
  });

  it('looks less often the longer nothing has come, and often again after a row', async () => {
    await scene.until(() => clock.nowMs() > 20_000);
    expect(readsAtMs.slice(0, 11)).toEqual(Array.from({ length: 11 }, (_, at) => at * 250));
    expect(Math.max(...distances())).toBe(1_000);
    let foundAtMs = Infinity;
    scene.onPublished = () => {
      foundAtMs = clock.nowMs();
      readsAtMs = [foundAtMs];
    };
    scene.outbox.commit(1);
    await scene.until(() => clock.nowMs() > foundAtMs + 20_000);
    expect(Math.max(...distances().slice(0, 10))).toBe(250);
    expect(Math.max(...distances())).toBe(1_000);
  });
});

describe('relaying a shard', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(async () => {
    await scene.relay.stop();
  });

  it('publishes what is committed and deletes what was acknowledged', async () => {
    scene.outbox.commit(1, 2, 4);
    scene.relay.start();
    await scene.until(() => scene.outbox.rows.size === 0);
    expect(scene.published).toEqual(['payload-1', 'payload-2', 'payload-4']);
  });

  it('publishes a row for a partition that is gone to one that is there', async () => {
    [0, 7, 8, 15, 1_023].forEach((partition, at) => {
      scene.outbox.commitTo(partition, at + 1);
    });
    scene.relay.start();
    await scene.until(() => scene.outbox.rows.size === 0);
    expect(scene.partitions).toEqual([0, 7, 0, 7, 7]);
  });

  it('lets deletions gather: several pages, one deletion', async () => {
    scene.relay.start();
    scene.outbox.commit(1);
    await scene.until(() => scene.published.length === 1);
    await scene.until(() => scene.outbox.rows.size === 0);
    const before = scene.outbox.removals;
    for (const seq of [2, 3, 4]) {
      scene.outbox.commit(seq);
      scene.relay.wake();
      await scene.until(() => scene.published.length === seq);
    }
    await scene.until(() => scene.outbox.rows.size === 0);
    expect(scene.outbox.removals - before).toBeLessThan(3);
    expect(scene.published).toEqual(['payload-1', 'payload-2', 'payload-3', 'payload-4']);
  });

  it('publishes nothing twice by sweeping while deletions gather', async () => {
    scene.outbox.commit(1, 2);
    scene.relay.start();
    await scene.until(() => scene.published.length === 2);
    scene.outbox.commit(3);
    await scene.until(() => scene.outbox.sweeps >= 3);
    expect(scene.published).toEqual(['payload-1', 'payload-2', 'payload-3']);
  });

  it('deletes nothing that was not acknowledged, and tries again', async () => {
    scene.publishFailures = 2;
    scene.outbox.commit(1, 2);
    scene.relay.start();
    await scene.until(() => scene.publishAttempts >= 1);
    expect(scene.outbox.rows.size).toBe(2);
    await scene.until(() => scene.outbox.rows.size === 0);
    expect(scene.published).toEqual(['payload-1', 'payload-2']);
  });

  it('reads nothing while it has no lease, and begins at the head when it gets it', async () => {
    scene.token = undefined;
    scene.outbox.commit(1);
    scene.relay.start();
    scene.relay.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(scene.outbox.reads).toBe(0);
    scene.token = 2n;
    scene.relay.wake();
    await scene.until(() => scene.published.length === 1);
  });

  it('begins at the head again with a new lease: somebody else may have stopped half-way', async () => {
    scene.outbox.commit(5);
    scene.relay.start();
    await scene.until(() => scene.published.length === 1);
    scene.outbox.commit(3);
    scene.token = 2n;
    await scene.until(() => scene.published.length === 2);
    expect(scene.published).toEqual(['payload-5', 'payload-3']);
  });

  it('lives through an outage of its shard', async () => {
    scene.outbox.isAway = true;
    scene.outbox.commit(1);
    scene.relay.start();
    await scene.until(() => scene.outbox.reads >= 2);
    scene.outbox.isAway = false;
    await scene.until(() => scene.outbox.rows.size === 0);
    expect(scene.published).toEqual(['payload-1']);
  });

  it('takes a backlog in pages and publishes each message once', async () => {
    const seqs = Array.from({ length: 1_700 }, (_, at) => at + 1);
    scene.outbox.commit(...seqs);
    scene.relay.start();
    await scene.until(() => scene.outbox.rows.size === 0);
    expect(scene.published).toEqual(seqs.map((seq) => `payload-${seq}`));
  });

  it('asks the shard once for each page: deletions travel with a read', async () => {
    scene.outbox.commit(...Array.from({ length: 100 }, (_, at) => at + 1));
    scene.relay.start();
    await scene.until(() => scene.outbox.rows.size === 0);
    await scene.relay.stop();
    // 32 rows, the other 68 with the first deletion, for reads from the head take all along.
    expect(scene.outbox.pages).toEqual([32, 68]);
    expect(scene.outbox.removals).toBeLessThanOrEqual(2);
    expect(scene.outbox.deletions).toBe(0);
  });

  it('keeps a deletion that failed for the next read, and publishes nothing twice', async () => {
    scene.onPublished = () => {
      scene.outbox.isAway = true;
    };
    scene.outbox.commit(1, 2);
    scene.relay.start();
    await scene.until(() => scene.outbox.reads >= 3);
    expect(scene.outbox.rows.size).toBe(2);
    scene.outbox.isAway = false;
    await scene.until(() => scene.outbox.rows.size === 0);
    expect(scene.published).toEqual(['payload-1', 'payload-2']);
  });

  it('deletes what it published also when the lease is gone by then', async () => {
    scene.onPublished = () => {
      scene.token = undefined;
    };
    scene.outbox.commit(1, 2);
    scene.relay.start();
    await scene.until(() => scene.outbox.rows.size === 0);
    expect(scene.outbox.reads).toBe(1);
  });

  it('deletes what was acknowledged before it stops', async () => {
    scene.outbox.commit(1, 2, 3);
    scene.relay.start();
    await scene.until(() => scene.published.length === 3);
    await scene.relay.stop();
    expect(scene.outbox.rows.size).toBe(0);
  });
});
