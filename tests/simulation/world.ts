import type { Envelope } from '@surety/contracts';
import { evenSlotMap, isEnded, shardOfSlot, slotOfAccount } from '@surety/domain';
import type { Account, AccountId, TransferId } from '@surety/domain';
import type { Changes, ShardStore, TransferRow } from '@surety/saga';
import { brokenPromises, transitSums } from '@surety/testing';
import {
  Faults,
  MessageLog,
  Random,
  Scheduler,
  SimulatedShard,
  illegalHistory,
} from '@surety/testing/simulation';
import type { Kernel, Life, SimulatedProcess } from '@surety/testing/simulation';
import type { Bug } from './bugs.js';
import type { ProjectedBalance, ProjectedStatus, SweepReads, SweepShard } from './parts.js';
import { tampered } from './tampered-store.js';

export const HOLD_TIMEOUT_MS = 10_000;
export const STALL_TIMEOUT_MS = 3_000;
export const CLIENTS = 4;
export const WORKERS = 'workers';
export const PROJECTOR = 'projector';
const START_MS = Date.parse('2026-01-31T10:00:00Z');

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

/** Something a client wants once, however often it has to ask. */
export interface Intent {
  readonly n: number;
  readonly kind: 'transfer' | 'deposit';
  readonly source: AccountId;
  readonly destination: AccountId;
  readonly minor: number;
  readonly afterMs: number;
  /** To be cancelled once it is acknowledged. */
  isCancelled: boolean;
  /** Every id that was ever sent for it. */
  readonly tried: Set<TransferId>;
  acknowledged: TransferId | undefined;
}

/** All that exists in one simulation, and the checkers that look at every committed state of it. */
export class World {
  readonly options: WorldOptions;
  readonly random: Random;
  readonly scheduler = new Scheduler(START_MS);
  readonly kernel: Kernel;
  readonly log = new MessageLog();
  readonly map: ReturnType<typeof evenSlotMap>;
  readonly shards: SimulatedShard[];
  readonly processes: SimulatedProcess[] = [];
  readonly intents: Intent[] = [];
  readonly intentOf = new Map<TransferId, Intent>();
  readonly balances = new Map<AccountId, ProjectedBalance>();
  readonly statuses = new Map<TransferId, ProjectedStatus>();
  readonly violations: Violation[] = [];
  readonly trace: TraceLine[] = [];
  readonly finishedClients = new Set<string>();
  commits = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.random = new Random(options.seed);
    const drawn = this.random.pick([0.5, 1, 1, 2, 4]);
    const faults = new Faults(this.random, options.intensity ?? drawn);
    this.kernel = {
      scheduler: this.scheduler,
      random: this.random,
      faults,
      broken: (message, transferIds = []) => this.broken(message, transferIds),
      note: (who, text, transferIds = []) => this.note(who, text, transferIds),
    };
    const shardCount = this.random.between(1, 3);
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

  store(life: Life, shard: SimulatedShard): ShardStore {
    return tampered(shard.storeFor(life), life, this);
  }

  /** One shard as the sweeps of one life see it. */
  sweepShard(life: Life, shard: SimulatedShard): SweepShard {
    return { id: shard.id, store: this.store(life, shard), reads: reads(life, shard) };
  }

  get transferCount(): number {
    return this.shards.reduce((sum, { rows }) => sum + rows.transfers.size, 0);
  }

  isQuiet(): boolean {
    return (
      this.violations.length > 0 ||
      (this.finishedClients.size === CLIENTS &&
        this.shards.every(
          ({ rows, outbox }) => rows.openTransfers.size === 0 && outbox.size === 0,
        ) &&
        this.log.isRead(PROJECTOR) &&
        this.log.isRead(WORKERS))
    );
  }

  /** Why it is not quiet although it should be. */
  checkLiveness(): void {
    const open = this.shards.flatMap(({ rows }) => [...rows.openTransfers]);
    const unasked = this.intents.filter((intent) => !intent.acknowledged).length;
    const unsent = this.shards.reduce((sum, { outbox }) => sum + outbox.size, 0);
    this.broken(
      `not at rest in time: ${open.length} open, ${unasked} unacknowledged, ${unsent} unsent`,
      open,
    );
  }

  checkEnd(): void {
    for (const [currency, sum] of transitSums(this.shards.map(({ rows }) => rows))) {
      if (sum !== 0n) this.broken(`transit in ${currency} is ${sum} at rest`);
    }
    for (const { rows } of this.shards) {
      for (const message of brokenPromises(rows)) this.broken(message);
      for (const row of rows.transfers.values()) this.#checkEnded(row);
      for (const account of rows.accounts.values()) this.#checkProjected(account);
    }
    for (const intent of this.intents) this.#checkAcknowledged(intent);
  }

  #checkProjected(account: Account): void {
    const none = { balance: 0n, held: 0n, version: 0n };
    const shown = toldOf(this.balances.get(account.id) ?? none);
    const truth = toldOf(account);
    if (shown !== truth) this.broken(`${account.id} is ${truth}, its projection ${shown}`);
  }

  #checkEnded(row: TransferRow): void {
    if (!isEnded(row.state)) this.broken(`${row.id} has not ended`, [row.id]);
    const shown = this.statuses.get(row.id)?.status;
    if (shown !== row.state) {
      this.broken(`${row.id} is ${row.state}, its projection ${shown ?? 'absent'}`, [row.id]);
    }
    for (const message of this.#storyFaults(row.id)) this.broken(message, [row.id]);
  }

  #checkAcknowledged({ acknowledged, source }: Intent): void {
    if (!acknowledged) return;
    if (!this.shardOf(slotOfAccount(source)).rows.transfers.has(acknowledged)) {
      this.broken(`${acknowledged} was acknowledged and does not exist`, [acknowledged]);
    }
  }

  acknowledge(intent: Intent, id: TransferId): void {
    if (intent.acknowledged && intent.acknowledged !== id) {
      this.broken(`key ${intent.n} made ${intent.acknowledged} and ${id}`, [id]);
    }
    intent.acknowledged = id;
    this.#checkAcknowledged(intent);
  }

  #shard(id: number): SimulatedShard {
    return new SimulatedShard({
      id,
      kernel: this.kernel,
      committed: (shard, who, changes) => this.#committed(shard, who, changes),
    });
  }

  #committed(shard: SimulatedShard, who: string, changes: Changes): void {
    this.commits += 1;
    for (const { transferId, type } of changes.events) {
      this.note(who, `commits ${type} of ${transferId} on shard ${shard.id}`, [transferId]);
    }
    const touched = touchedBy(changes);
    if (touched.length === 0 && changes.accountsUpdated.length === 0) return;
    for (const message of brokenPromises(shard.rows)) this.broken(message, touched);
    this.#checkPlaces(shard, changes);
    for (const id of touched) {
      for (const message of this.#storyFaults(id)) this.broken(message, [id]);
    }
    for (const { id } of changes.transfersInserted) this.#checkKey(id);
  }

  #checkPlaces(shard: SimulatedShard, { events, decisions }: Changes): void {
    for (const { slot, transferId } of [...events, ...decisions]) {
      if (this.shardOf(slot) === shard) continue;
      this.broken(`a row of slot ${slot} lies on shard ${shard.id}`, [transferId]);
    }
  }

  #storyFaults(id: TransferId): string[] {
    return illegalHistory(
      id,
      this.shards.map(({ rows }) => rows),
    );
  }

  #checkKey(id: TransferId): void {
    const intent = this.intentOf.get(id);
    if (!intent) return;
    const made = [...intent.tried].filter((tried) =>
      this.shards.some(({ rows }) => rows.transfers.has(tried)),
    );
    if (made.length > 1) this.broken(`one wish made ${made.length} transfers`, made);
  }
}

function touchedBy(changes: Changes): TransferId[] {
  const ids = new Set<TransferId>();
  for (const { transferId } of [...changes.events, ...changes.decisions]) ids.add(transferId);
  for (const { id } of changes.transfersUpdated) ids.add(id);
  return [...ids];
}

function toldOf({ balance, held, version }: Omit<ProjectedBalance, 'accountId'>): string {
  return `${balance}/${held} in version ${version}`;
}

function reads(life: Life, shard: SimulatedShard): SweepReads {
  const { rows } = shard;
  return {
    expiredHolds: (_, limit) =>
      shard.statement(life, () =>
        [...rows.holds.values()]
          .filter((hold) => Date.parse(hold.expiresAt) < shard.databaseNowMs())
          .sort((one, other) => one.expiresAt.localeCompare(other.expiresAt))
          .slice(0, limit),
      ),
    openTransfers: (olderThanMs, _, limit) =>
      shard.statement(life, () => {
        const transfers = [...rows.openTransfers]
          .map((id) => rows.transfers.get(id)!)
          .map((row) => ({
            transferId: row.id,
            slot: row.slot,
            state: row.state as 'requested' | 'held',
            ageMs: shard.databaseNowMs() - Date.parse(row.requestedAt),
          }))
          .filter(({ ageMs }) => ageMs > olderThanMs);
        return { transfers: transfers.slice(0, limit), next: undefined };
      }),
    decisions: (ids) =>
      shard.statement(life, () => new Map([...rows.decisions].filter(([id]) => ids.includes(id)))),
    events: (refs) =>
      shard.statement(life, () =>
        refs.flatMap(({ transferId, step }) => {
          const row = rows.events.get(`${transferId}/${step}`);
          if (!row) return [];
          return [{ envelope: JSON.parse(row.envelope) as Envelope, encoded: row.envelope }];
        }),
      ),
    outboxAgeMs: () =>
      shard.statement(life, () => {
        const now = life.kernel.scheduler.nowMs;
        return [...shard.outbox.values()].reduce(
          (age, row) => Math.max(age, now - row.writtenAtMs),
          0,
        );
      }),
  };
}
