import { StoreError } from '@surety/saga';
import type { Changes, LoadRequest, Loaded, Planned, ShardStore } from '@surety/saga';
import type { ShardId } from '@surety/domain';
import { MemoryShardStore } from '../memory-store.js';
import type { MemoryRows } from '../memory-store.js';
import type { Kernel, Life } from './process.js';

export interface OutboxEntry {
  readonly seq: bigint;
  readonly topic: string;
  readonly partition: number;
  readonly payload: string;
  readonly writtenAtMs: number;
}

/** Numbers that a transaction may take before it commits; those it does not use stay gaps. */
const RESERVED_MAX = 3;
const LATE_COMMIT_MS = { least: 20, most: 8_000 };

/**
 * A shard that can be away, slow or cut off in the middle. Its transactions are atomic; what happens
 * around them is what the faults say. Outbox rows get their numbers before their transaction
 * commits, so that a row can become visible after rows with higher numbers.
 */
export class SimulatedShard {
  readonly id: ShardId;
  readonly memory: MemoryShardStore;
  readonly outbox = new Map<bigint, OutboxEntry>();
  awayUntilMs = Number.NEGATIVE_INFINITY;
  /** How far the database's clock is from true time. It may be moved at any moment. */
  skewMs = 0;
  readonly #kernel: Kernel;
  readonly #committed: (shard: SimulatedShard, who: string, changes: Changes) => void;
  #nextSeq = 1n;

  constructor(options: {
    id: ShardId;
    kernel: Kernel;
    /** Called in every committed state. */
    committed: (shard: SimulatedShard, who: string, changes: Changes) => void;
  }) {
    const { id, kernel, committed } = options;
    this.id = id;
    this.#kernel = kernel;
    this.#committed = committed;
    this.memory = new MemoryShardStore(id, () => this.databaseNowMs());
  }

  databaseNowMs(): number {
    return this.#kernel.scheduler.nowMs + this.skewMs;
  }

  get rows(): MemoryRows {
    return this.memory.rows;
  }

  /** The shard as one life of a process sees it. */
  storeFor(life: Life): ShardStore {
    return {
      shard: this.id,
      transact: (load, decide) => this.#transact(life, load, decide),
    };
  }

  /** A statement outside of transactions. */
  async statement<R>(life: Life, run: () => R): Promise<R> {
    await life.roundTrip();
    this.#refuseIfAway();
    if (this.#kernel.faults.strikes('failed_transaction')) throw away('the connection was lost');
    const result = run();
    await life.roundTrip();
    return result;
  }

  async #transact<R>(
    life: Life,
    load: LoadRequest,
    decide: (loaded: Loaded) => Planned<R>,
  ): Promise<R> {
    const { faults } = this.#kernel;
    await life.roundTrip();
    this.#refuseIfAway();
    const reserved = await this.#reserve(life);
    if (faults.strikes('failed_transaction')) throw away('rolled back');
    let changes: Changes | undefined;
    const result = await this.memory.transact(load, (loaded) => {
      // A deadlock: the transaction is rolled back and decided again.
      if (faults.strikes('retried_transaction')) decide(loaded);
      const planned = decide(loaded);
      changes = planned.changes;
      return planned;
    });
    this.#numberOutbox(reserved);
    if (changes) this.#committed(this, life.process.name, changes);
    await life.roundTrip();
    if (faults.strikes('lost_acknowledgement')) {
      throw new StoreError('environment', 'no answer to COMMIT', { outcomeUnknown: true });
    }
    return result;
  }

  async #reserve(life: Life): Promise<bigint[]> {
    const { faults, random } = this.#kernel;
    if (!faults.strikes('late_commit')) return [];
    const reserved = Array.from({ length: random.between(1, RESERVED_MAX) }, () => this.#seq());
    await life.sleep(random.between(LATE_COMMIT_MS.least, LATE_COMMIT_MS.most));
    this.#refuseIfAway();
    return reserved;
  }

  #numberOutbox(reserved: bigint[]): void {
    const writtenAtMs = this.#kernel.scheduler.nowMs;
    for (const row of this.rows.outbox.splice(0)) {
      const seq = reserved.shift() ?? this.#seq();
      this.outbox.set(seq, { seq, ...row, writtenAtMs });
    }
  }

  #seq(): bigint {
    const seq = this.#nextSeq;
    this.#nextSeq += 1n;
    return seq;
  }

  #refuseIfAway(): void {
    if (this.awayUntilMs > this.#kernel.scheduler.nowMs) throw away(`shard ${this.id} is away`);
  }
}

function away(message: string): StoreError {
  return new StoreError('environment', message);
}
