import { shardOfSlot } from '@surety/domain';
import type { ShardId, SlotMap } from '@surety/domain';
import { StoreError } from '@surety/saga';
import type {
  Changes,
  Fence,
  LoadRequest,
  Loaded,
  Planned,
  RoutableStore,
  ShardStore,
  SlotMaps,
} from '@surety/saga';
import { MemoryShardStore } from '../memory-store.js';
import type { MemoryRows } from '../memory-store.js';
import type { Kernel, Life } from './process.js';
import { LeaseRows } from './lease-rows.js';

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

export interface SimulatedShardOptions {
  readonly id: ShardId;
  readonly kernel: Kernel;
  readonly map: SlotMap;
  /** Called in every committed state. */
  readonly committed: (shard: SimulatedShard, who: string, changes: Changes) => void;
}

interface RoutedWork<R> {
  readonly epoch: bigint;
  readonly fence: Fence | undefined;
  readonly load: LoadRequest;
  readonly decide: (loaded: Loaded) => Planned<R>;
}

/**
 * A shard that can be away, slow or cut off in the middle. Its transactions are atomic; what happens
 * around them is what the faults say. Outbox rows get their numbers before their transaction
 * commits, so that a row can become visible after rows with higher numbers.
 */
export class SimulatedShard {
  readonly id: ShardId;
  readonly memory: MemoryShardStore;
  readonly outbox = new Map<bigint, OutboxEntry>();
  readonly leases: LeaseRows;
  awayUntilMs = Number.NEGATIVE_INFINITY;
  /** Processes that do not get through to it, by name. */
  readonly cutOffUntilMs = new Map<string, number>();
  /** How far the database's clock is from true time. It may be moved at any moment. */
  skewMs = 0;
  readonly #kernel: Kernel;
  readonly #committed: SimulatedShardOptions['committed'];
  #map: SlotMap;
  #nextSeq = 1n;

  constructor({ id, kernel, map, committed }: SimulatedShardOptions) {
    this.id = id;
    this.#kernel = kernel;
    this.#committed = committed;
    this.#map = map;
    this.memory = new MemoryShardStore(id, () => this.databaseNowMs());
    this.memory.epoch = map.epoch;
    this.memory.shardOf = (slot) => shardOfSlot(this.#map, slot);
    this.leases = new LeaseRows(this);
  }

  /** What its placement says. */
  get map(): SlotMap {
    return this.#map;
  }

  /** As the switch of a move does it: placement is taken exclusively, nobody is in flight. */
  place(map: SlotMap): void {
    this.#map = map;
    this.memory.epoch = map.epoch;
  }

  databaseNowMs(): number {
    return this.#kernel.scheduler.nowMs + this.skewMs;
  }

  get rows(): MemoryRows {
    return this.memory.rows;
  }

  /** The shard as one life of a process sees it. */
  storeFor(life: Life, maps: Pick<SlotMaps, 'current'>): RoutableStore {
    const at = (epoch: bigint, fence?: Fence): ShardStore => ({
      shard: this.id,
      transact: (load, decide) => this.#transact(life, { epoch, fence, load, decide }),
    });
    return {
      shard: this.id,
      at,
      transact: (load, decide) => at(maps.current().epoch).transact(load, decide),
    };
  }

  /** A statement outside of transactions. */
  async statement<R>(life: Life, run: () => R): Promise<R> {
    await life.roundTrip();
    this.#refuseIfAway(life);
    if (this.#kernel.faults.strikes('failed_transaction')) throw away('the connection was lost');
    const result = run();
    await life.roundTrip();
    return result;
  }

  async #transact<R>(life: Life, work: RoutedWork<R>): Promise<R> {
    const { epoch, fence, load, decide } = work;
    const { faults } = this.#kernel;
    await life.roundTrip();
    this.#refuseIfAway(life);
    const reserved = await this.#reserve(life);
    if (faults.strikes('failed_transaction')) throw away('rolled back');
    if (load.isImpatient && faults.strikes('kept_rows')) throw kept();
    let changes: Changes | undefined;
    let isRetried: boolean | undefined;
    const result = await this.memory.at(epoch, fence).transact(load, (loaded) => {
      // A deadlock: the transaction is rolled back and decided again.
      isRetried ??= faults.strikes('retried_transaction');
      if (isRetried) decide(loaded);
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
    this.#refuseIfAway(life);
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

  #refuseIfAway({ process }: Life): void {
    const { nowMs } = this.#kernel.scheduler;
    const cutOffUntilMs = this.cutOffUntilMs.get(process.name) ?? nowMs;
    if (Math.max(this.awayUntilMs, cutOffUntilMs) > nowMs) throw away(`shard ${this.id} is away`);
  }
}

/** Somebody has them locked, for longer than an impatient transaction waits. */
function kept(): StoreError {
  return new StoreError('environment', 'a lock time-out', { refused: true });
}

function away(message: string): StoreError {
  return new StoreError('environment', message);
}
