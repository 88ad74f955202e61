import type { Envelope } from '@surety/contracts';
import { slotOfAccount, shardOfSlot } from '@surety/domain';
import type { AccountId, ShardId, SlotMap, TransferId } from '@surety/domain';
import type { Shard } from '@surety/db';
import { BatcherStoppedError, QueueFullError } from '@surety/runtime';
import { NO_CHANGES, StoreError } from '@surety/saga';
import type {
  AccountOpening,
  FundingRequest,
  FundingResult,
  OpeningResult,
  RequestResult,
  SlotMaps,
  StepResult,
  TransferRequest,
  VoidRequest,
  VoidResult,
} from '@surety/saga';
import type { Party } from './admission.js';
import type { Admissions, Tell } from './admissions.js';
import { openDoor } from './open-door.js';
import type { Bundle } from './bundle-writes.js';
import type { Door, DoorOptions } from './open-door.js';
import { ShardUnavailable } from './problem.js';

/** A map that changes faster than it can be read again is a fault; the client then tries later. */
const ROUTE_ATTEMPTS_MAX = 3;

type Gatekeeper = Pick<Admissions, 'areCrowded' | 'admit' | 'of'>;

export interface ShardDoorsOptions extends DoorOptions {
  readonly shards: readonly Shard[];
  readonly slotMaps: SlotMaps;
  readonly admissions: Gatekeeper;
}

/** Every way from a request to the shard that carries its slot. */
export class ShardDoors {
  private readonly doors: ReadonlyMap<ShardId, Door>;
  private readonly slotMaps: SlotMaps;
  private readonly admissions: Gatekeeper;
  private reloading: Promise<unknown> | undefined;

  constructor(options: ShardDoorsOptions) {
    this.slotMaps = options.slotMaps;
    this.admissions = options.admissions;
    this.doors = new Map(options.shards.map((shard) => [shard.id, openDoor(shard, options)]));
  }

  shardOf(slot: number): ShardId {
    return shardOfSlot(this.slotMaps.current(), slot);
  }

  /** Whether transfers of this party are turned away, wherever they go. */
  areCrowded(party: Party): boolean {
    return this.admissions.areCrowded(this.doors.keys(), party);
  }

  /** Whether a transfer to this account would be turned away. */
  isFull(destination: AccountId, party: Party): boolean {
    return this.admissions.of(this.shardOf(slotOfAccount(destination))).isFull(party);
  }

  /** @throws QueueFullError where the chain behind ends transfers slower than they come */
  async requestTransfer(request: TransferRequest): Promise<RequestResult> {
    const admission = this.admissions.of(this.destinationOf(request));
    await admission.enter(1);
    let accepted: readonly TransferId[] = [];
    try {
      const result = await this.storeAlone(request);
      accepted = acceptedBy(result);
      return result;
    } finally {
      admission.left(1, accepted);
    }
  }

  /** By where the money goes: a shard that is away holds up what goes there, and nothing else. */
  private destinationOf({ destination }: TransferRequest): ShardId {
    return this.shardOf(slotOfAccount(destination));
  }

  private storeAlone(request: TransferRequest): Promise<RequestResult> {
    return this.route(request.key.slot, (door, map) =>
      door.transfers.submit({ item: request, map }),
    );
  }

  /**
   * One group commit per shard. A shard that fails costs only its own requests; where one request of
   * a bundle cannot be stored, or the bundle was led by an old map, each goes its own way.
   * Outcomes come in the order of requests; QueueFullError where the chain behind ends transfers slower
   * than they come.
   */
  requestTransfers(
    requests: readonly TransferRequest[],
  ): Promise<readonly PromiseSettledResult<RequestResult>[]> {
    return this.admissions.admit(requests, {
      shardOf: (request) => this.destinationOf(request),
      store: (admitted, tell) => this.storeTogether(admitted, tell),
      acceptedOf: acceptedBy,
    });
  }

  private async storeTogether(
    requests: readonly TransferRequest[],
    tell: Tell<TransferRequest, RequestResult>,
  ): Promise<void> {
    const map = this.slotMaps.current();
    const bundles = [...this.bundlesOf(requests, map)].map(async ([door, bundle]) => {
      tell(bundle, await this.bundleOutcomes(door, bundle, map));
    });
    const astray = requests.filter(({ key }) => !this.doors.has(this.shardOf(key.slot)));
    tell(
      astray,
      astray.map((request) => this.unrouted(request)),
    );
    await Promise.all(bundles);
  }

  private unrouted({ key }: TransferRequest): PromiseRejectedResult {
    return { status: 'rejected', reason: new ShardUnavailable(this.shardOf(key.slot)) };
  }

  private bundlesOf(requests: readonly TransferRequest[], map: SlotMap): ReadonlyMap<Door, Bundle> {
    const bundles = new Map<Door, TransferRequest[]>();
    for (const request of requests) {
      const door = this.doors.get(shardOfSlot(map, request.key.slot));
      if (!door) continue;
      const known = bundles.get(door);
      if (known) known.push(request);
      else bundles.set(door, [request]);
    }
    return bundles;
  }

  private async bundleOutcomes(
    door: Door,
    bundle: Bundle,
    map: SlotMap,
  ): Promise<readonly PromiseSettledResult<RequestResult>[]> {
    try {
      const results = await door.bundles.submit({ item: bundle, map });
      return results.map((value) => ({ status: 'fulfilled', value }));
    } catch (reason) {
      if (!mayGoAlone(reason)) return bundle.map(() => ({ status: 'rejected', reason }));
      return Promise.allSettled(bundle.map((request) => this.storeAlone(request)));
    }
  }

  fundAccount(request: FundingRequest): Promise<FundingResult> {
    const { slot } = request.key;
    return this.route(slot, (door, map) => door.fundings.submit({ item: request, map }));
  }

  openAccount(opening: AccountOpening): Promise<OpeningResult> {
    const slot = slotOfAccount(opening.id);
    return this.route(slot, (door, map) => door.openings.submit({ item: opening, map }));
  }

  /** Fences a transfer at its destination, or gives the decision that stands there. */
  voidTransfer(request: VoidRequest): Promise<VoidResult> {
    const slot = request.cause.destinationSlot;
    return this.route(slot, (door, map) => door.voids.submit({ item: request, map }));
  }

  /** Commits or releases at the source what its destination has decided. */
  followDecision(decided: Envelope): Promise<StepResult> {
    const slot = decided.sourceSlot;
    return this.route(slot, (door, map) => door.ends.submit({ item: decided, map }));
  }

  /**
   * Reads from the shard that carries the slot. What is there is true wherever it was found; that
   * nothing is there is believed only of the shard that carries the slot.
   * @throws ShardUnavailable, StoreError
   */
  read<T>(slot: number, query: (shard: Shard) => Promise<T>): Promise<T> {
    return this.route(slot, async (door, map) => {
      const found = await door.gate.run(() => query(door.shard));
      if (found === undefined) await mustCarry(door, map);
      return found;
    });
  }

  /** The same for an answer in which each absence counts, not only the one of everything. */
  readWhole<T>(slot: number, query: (shard: Shard) => Promise<T>): Promise<T> {
    return this.route(slot, async (door, map) => {
      const found = await door.gate.run(() => query(door.shard));
      await mustCarry(door, map);
      return found;
    });
  }

  /**
   * The same for many keys: one query for each shard that carries some. That one is not there is
   * believed only of the shard that carries its slot.
   * @throws ShardUnavailable, StoreError
   */
  async readMany<K, T>(
    keys: readonly K[],
    slotOf: (key: K) => number,
    query: (shard: Shard, keys: readonly K[]) => Promise<ReadonlyMap<K, T>>,
  ): Promise<ReadonlyMap<K, T>> {
    const [first] = keys;
    if (first === undefined) return new Map();
    const parts = await this.route(slotOf(first), (door, map) => {
      const isHere = (key: K): boolean => this.shardOf(slotOf(key)) === door.shard.id;
      const here = keys.filter(isHere);
      const elsewhere = keys.filter((key) => !isHere(key));
      const readHere = async (): Promise<ReadonlyMap<K, T>> => {
        const found = await door.gate.run(() => query(door.shard, here));
        if (found.size < here.length) await mustCarry(door, map);
        return found;
      };
      return Promise.all([readHere(), this.readMany(elsewhere, slotOf, query)]);
    });
    return new Map(parts.flatMap((part) => [...part]));
  }

  readAccount<T>(account: AccountId, query: (shard: Shard) => Promise<T>): Promise<T> {
    return this.read(slotOfAccount(account), query);
  }

  async stop(): Promise<void> {
    const doors = [...this.doors.values()];
    await Promise.all(
      doors.flatMap(({ transfers, bundles, fundings, openings, voids, ends }) =>
        [transfers, bundles, fundings, openings, voids, ends].map((group) => group.stop()),
      ),
    );
    doors.forEach((door) => {
      door.gate.close();
    });
  }

  /** Tries again with a newer map where the shard says that ours is outdated. */
  private async route<T>(slot: number, pass: (door: Door, map: SlotMap) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const map = this.slotMaps.current();
      const shard = shardOfSlot(map, slot);
      const door = this.doors.get(shard);
      if (!door) throw new ShardUnavailable(shard);
      try {
        return await pass(door, map);
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

function acceptedBy(result: RequestResult): readonly TransferId[] {
  return result.kind === 'accepted' ? [result.transferId] : [];
}

/** It may lie in one member, or in the map that led them here; not in the shard, nor in its queue. */
function mayGoAlone(reason: unknown): boolean {
  if (reason instanceof StoreError) return reason.kind !== 'environment';
  const isOfTheDoor = [ShardUnavailable, QueueFullError, BatcherStoppedError].some(
    (kind) => reason instanceof kind,
  );
  return !isOfTheDoor;
}

/**
 * Asked after a read: rows leave a shard only behind a change of its map.
 * @throws StoreError of kind `epoch` where the map that led here was not the shard's any more
 */
function mustCarry({ gate, shard }: Door, { epoch }: SlotMap): Promise<void> {
  const nothing = { changes: NO_CHANGES, result: undefined };
  return gate.run(() => shard.store.at(epoch).transact({}, () => nothing));
}
