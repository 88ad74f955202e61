import { slotOfAccount, shardOfSlot } from '@surety/domain';
import type { AccountId, ShardId } from '@surety/domain';
import type { Shard } from '@surety/db';
import { CHANNELS } from '@surety/runtime';
import type { Doorbell, Metrics } from '@surety/runtime';
import { StoreError, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import type {
  AccountOpening,
  FundingRequest,
  FundingResult,
  OpeningResult,
  RequestResult,
  ShardStore,
  SlotMaps,
  TransferRequest,
} from '@surety/saga';
import { GroupCommit } from './group-commit.js';
import { ShardUnavailable } from './problem.js';
import { ShardGate } from './shard-gate.js';

/** A map that changes faster than it can be read again is a fault; the client then tries later. */
const ROUTE_ATTEMPTS_MAX = 3;

export interface ShardDoorsOptions {
  readonly shards: readonly Shard[];
  readonly slotMaps: SlotMaps;
  readonly queueMax: number;
  readonly doorbell: Doorbell;
  readonly metrics: Metrics;
  readonly resetTimeoutMs?: number;
}

interface Door {
  readonly shard: Shard;
  readonly gate: ShardGate;
  readonly transfers: GroupCommit<Routed<TransferRequest>, RequestResult>;
  readonly fundings: GroupCommit<Routed<FundingRequest>, FundingResult>;
  readonly openings: GroupCommit<Routed<AccountOpening>, OpeningResult>;
}

/** Work with the epoch of the map that led it here: the map may move on while it queues. */
interface Routed<Item> {
  readonly item: Item;
  readonly epoch: bigint;
}

/** Every way from a request to the shard that carries its slot. */
export class ShardDoors {
  private readonly doors: ReadonlyMap<ShardId, Door>;
  private readonly slotMaps: SlotMaps;
  private reloading: Promise<unknown> | undefined;

  constructor(options: ShardDoorsOptions) {
    this.slotMaps = options.slotMaps;
    this.doors = new Map(options.shards.map((shard) => [shard.id, openDoor(shard, options)]));
  }

  shardOf(slot: number): ShardId {
    return shardOfSlot(this.slotMaps.current(), slot);
  }

  requestTransfer(request: TransferRequest): Promise<RequestResult> {
    const { slot } = request.key;
    return this.route(slot, (door, epoch) => door.transfers.submit({ item: request, epoch }));
  }

  fundAccount(request: FundingRequest): Promise<FundingResult> {
    const { slot } = request.key;
    return this.route(slot, (door, epoch) => door.fundings.submit({ item: request, epoch }));
  }

  openAccount(opening: AccountOpening): Promise<OpeningResult> {
    const slot = slotOfAccount(opening.id);
    return this.route(slot, (door, epoch) => door.openings.submit({ item: opening, epoch }));
  }

  /** Reads from the shard that carries the slot. @throws ShardUnavailable, StoreError */
  read<T>(slot: number, query: (shard: Shard) => Promise<T>): Promise<T> {
    return this.route(slot, (door) => door.gate.run(() => query(door.shard)));
  }

  readAccount<T>(account: AccountId, query: (shard: Shard) => Promise<T>): Promise<T> {
    return this.read(slotOfAccount(account), query);
  }

  async stop(): Promise<void> {
    const doors = [...this.doors.values()];
    await Promise.all(
      doors.flatMap((door) => [door.transfers.stop(), door.fundings.stop(), door.openings.stop()]),
    );
    doors.forEach((door) => {
      door.gate.close();
    });
  }

  /** Tries again with a newer map where the shard says that ours is outdated. */
  private async route<T>(
    slot: number,
    pass: (door: Door, epoch: bigint) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const map = this.slotMaps.current();
      const shard = shardOfSlot(map, slot);
      const door = this.doors.get(shard);
      if (!door) throw new ShardUnavailable(shard);
      try {
        return await pass(door, map.epoch);
      } catch (error) {
        const isOutdated = error instanceof StoreError && error.kind === 'epoch';
        if (!isOutdated) throw error;
        if (attempt >= ROUTE_ATTEMPTS_MAX) throw new ShardUnavailable(shard, { cause: error });
        await this.reload(shard);
      }
    }
  }

  /** One reload for everybody who found out at the same time. */
  private async reload(shard: ShardId): Promise<void> {
    this.reloading ??= this.slotMaps.reload().finally(() => {
      this.reloading = undefined;
    });
    try {
      await this.reloading;
    } catch (error) {
      throw new ShardUnavailable(shard, { cause: error });
    }
  }
}

function openDoor(shard: Shard, options: ShardDoorsOptions): Door {
  const { metrics, doorbell, queueMax, resetTimeoutMs } = options;
  const label = { shard: String(shard.id) };
  metrics.breakerOpen.set(label, 0);
  const gate = new ShardGate({
    shard: shard.id,
    opened: (isOpen) => {
      metrics.breakerOpen.set(label, isOpen ? 1 : 0);
    },
    ...(resetTimeoutMs === undefined ? {} : { resetTimeoutMs }),
  });
  const committed = (step: string) => (results: readonly { readonly kind: string }[]) => {
    doorbell.ring(CHANNELS.outbox(shard.id));
    metrics.batchItems.observe({ unit: 'ingress' }, results.length);
    for (const { kind } of results) metrics.stepsTotal.inc({ step, outcome: kind, ...label });
  };
  const transfers = new GroupCommit<Routed<TransferRequest>, RequestResult>({
    gate,
    queueMax,
    run: (group) => requestTransfers(storeFor(shard, group), itemsOf(group)),
    committed: (results) => {
      committed('request')(results);
      metrics.queueDepth.set(label, transfers.depth);
    },
  });
  return {
    shard,
    gate,
    transfers,
    fundings: new GroupCommit({
      gate,
      queueMax,
      run: (group: readonly Routed<FundingRequest>[]) =>
        fundAccounts(storeFor(shard, group), itemsOf(group)),
      committed: committed('funding'),
    }),
    openings: new GroupCommit({
      gate,
      queueMax,
      run: (group: readonly Routed<AccountOpening>[]) =>
        openAccounts(storeFor(shard, group), itemsOf(group)),
      committed: committed('opening'),
    }),
  };
}

/** By the oldest map in the group: if the shard knows a newer one, the whole group is routed again. */
function storeFor(shard: Shard, group: readonly { readonly epoch: bigint }[]): ShardStore {
  const epochs = group.map(({ epoch }) => epoch);
  return shard.store.at(epochs.reduce((oldest, epoch) => (epoch < oldest ? epoch : oldest)));
}

function itemsOf<Item>(group: readonly Routed<Item>[]): readonly Item[] {
  return group.map(({ item }) => item);
}
