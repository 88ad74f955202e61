import { evenSlotMap, shardOfSlot, slotOfAccount } from '@surety/domain';
import type { AccountId, SlotMap, TransferId, TransferStatus } from '@surety/domain';
import type { RoutableStore, SlotMaps } from '@surety/saga';
import {
  ConsumerGroup,
  Faults,
  MessageLog,
  Random,
  Scheduler,
  SimulatedBell,
  SimulatedShard,
  SimulatedSlotMaps,
} from '@surety/testing/simulation';
import type { Kernel, Life, SimulatedProcess } from '@surety/testing/simulation';
import type { Bug } from './bugs.js';
import { Checks } from './checks.js';
import { FrontDoor } from './front-door.js';
import type { Intent } from './intents.js';
import { tampered } from './tampered-store.js';

export const HOLD_TIMEOUT_MS = 10_000;
export const STALL_TIMEOUT_MS = 3_000;
export const CLIENTS = 4;
const START_MS = Date.parse('2026-01-31T10:00:00Z');
const SHARDS_MAX = 3;

export interface Violation {
  readonly atMs: number;
  readonly message: string;
  readonly transferIds: readonly TransferId[];
}

export interface TraceLine {
  readonly atMs: number;
  readonly who: string;
  readonly text: string;
  readonly transferIds: readonly TransferId[];
}

export interface WorldOptions {
  readonly seed: number;
  readonly transfers: number;
  readonly bug?: Bug | undefined;
  /** Times the usual rates of faults; drawn from the seed where it is left out. */
  readonly intensity?: number;
}

export interface ShownBalance {
  readonly accountId: AccountId;
  readonly balance: bigint;
  readonly held: bigint;
  readonly version: bigint;
}

export interface ShownStatus {
  readonly transferId: TransferId;
  readonly status: TransferStatus;
  readonly version: number;
}

/** All that exists in one simulation. */
export class World {
  readonly options: WorldOptions;
  readonly random: Random;
  readonly scheduler = new Scheduler(START_MS);
  readonly kernel: Kernel;
  readonly checks = new Checks(this);
  readonly log = new MessageLog();
  readonly bell = new SimulatedBell();
  readonly front = new FrontDoor();
  readonly workers: ConsumerGroup;
  readonly projectors: ConsumerGroup;
  /** Whether leases are exclusive; else two of everything work on each shard all the time. */
  readonly hasLeases: boolean;
  readonly shards: SimulatedShard[];
  readonly processes: SimulatedProcess[] = [];
  readonly intents: Intent[] = [];
  readonly intentOf = new Map<TransferId, Intent>();
  readonly balances = new Map<AccountId, ShownBalance>();
  readonly statuses = new Map<TransferId, ShownStatus>();
  /** The highest outbox number that was read, by shard; only a planted bug looks at it. */
  readonly relayedTo = new Map<number, bigint>();
  readonly violations: Violation[] = [];
  readonly trace: TraceLine[] = [];
  readonly finishedClients = new Set<string>();
  /** Where each slot is: the newest map. */
  map: SlotMap;
  idsComposed = 0;
  keysRemembered = 0;
  commits = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.random = new Random(options.seed);
    const drawn = this.random.pick([0.5, 1, 1, 2, 4]);
    this.kernel = {
      scheduler: this.scheduler,
      random: this.random,
      faults: new Faults(this.random, options.intensity ?? drawn),
      broken: (message, transferIds = []) => this.broken(message, transferIds),
      note: (who, text, transferIds = []) => this.note(who, text, transferIds),
    };
    const commitsEarly = this.has('offset_before_commit');
    this.workers = new ConsumerGroup({ name: 'workers', log: this.log, commitsEarly: false });
    this.projectors = new ConsumerGroup({ name: 'projector', log: this.log, commitsEarly });
    this.hasLeases = this.random.chance(0.5);
    const shardCount = this.random.between(1, SHARDS_MAX);
    this.map = evenSlotMap(shardCount);
    this.shards = Array.from({ length: shardCount }, (_, id) => this.#shard(id));
  }

  broken(message: string, transferIds: readonly TransferId[] = []): void {
    const atMs = this.scheduler.nowMs - START_MS;
    this.violations.push({ atMs, message, transferIds });
  }

  note(who: string, text: string, transferIds: readonly TransferId[] = []): void {
    this.trace.push({ atMs: this.scheduler.nowMs - START_MS, who, text, transferIds });
  }

  has(bug: Bug): boolean {
    return this.options.bug === bug;
  }

  shardOf(slot: number): SimulatedShard {
    return this.shards[shardOfSlot(this.map, slot)]!;
  }

  shardOfAccount(id: AccountId): SimulatedShard {
    return this.shardOf(slotOfAccount(id));
  }

  slotMaps(life: Life): SlotMaps {
    return new SimulatedSlotMaps(life, this.shards);
  }

  /** One shard as one life of a process writes to it. */
  store(life: Life, shard: SimulatedShard, maps: SlotMaps): RoutableStore {
    return tampered(shard.storeFor(life, maps), { life, shard, bug: this.options.bug });
  }

  /** What a client may see: it never goes backwards. */
  showStatus(row: ShownStatus): void {
    const known = this.statuses.get(row.transferId);
    this.statuses.set(row.transferId, row);
    if (known && known.version > row.version) {
      const way = `${known.status} to ${row.status}`;
      this.broken(`the status of ${row.transferId} went from ${way}`, [row.transferId]);
    }
  }

  get transferCount(): number {
    return this.shards.reduce((sum, { rows }) => sum + rows.transfers.size, 0);
  }

  isQuiet(): boolean {
    const { log, shards } = this;
    return (
      this.violations.length > 0 ||
      (this.finishedClients.size === CLIENTS &&
        shards.every(({ rows, outbox }) => rows.openTransfers.size === 0 && outbox.size === 0) &&
        log.isRead(this.projectors.name) &&
        log.isRead(this.workers.name))
    );
  }

  #shard(id: number): SimulatedShard {
    return new SimulatedShard({
      id,
      kernel: this.kernel,
      map: this.map,
      committed: (shard, who, changes) => {
        this.commits += 1;
        for (const { transferId, type } of changes.events) {
          this.note(who, `commits ${type} of ${transferId} on shard ${shard.id}`, [transferId]);
        }
        this.checks.committed(shard, changes);
      },
    });
  }
}
