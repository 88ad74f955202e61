import type { Shard } from '@surety/db';
import { composeTransferId, currencyTable, shardOfSlot, slotOfTransferId } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import {
  AccountCurrencies,
  Admissions,
  ShardDoors,
  postFunding,
  postTransfer,
} from '@surety/ingress';
import type {
  EarlierUse,
  Gate,
  Handler,
  PostFundingDependencies,
  PostTransferDependencies,
} from '@surety/ingress';
import { cancelTransfer } from '@surety/saga';
import type { CancelResult, EventRow } from '@surety/saga';
import type { Life } from '@surety/testing/simulation';
import { NO_METRICS } from './silence.js';
import { HOLD_TIMEOUT_MS } from './world.js';
import type { World } from './world.js';

/** What a client can ask an ingress for. */
export interface Api {
  readonly postTransfer: Handler;
  readonly postFunding: Handler;
  readonly cancel: (id: TransferId) => Promise<CancelResult>;
}

const QUEUE_MAX = 1_000;
const ID_TIME_MS = 1_700_000_000_000;
const MEMORY_AWAY_EVERY = 4;
const STEPS = [10, 20, 30, 40];

/** Routes, queues, group commits and handlers of the HTTP edge; only sockets and the breaker are not. */
export function ingress(world: World): (life: Life) => Promise<void> {
  return async (life) => {
    const slotMaps = world.slotMaps(life);
    const doors = new ShardDoors({
      shards: world.shards.map((shard) => {
        const store = world.store(life, shard, slotMaps);
        return { id: shard.id, store } as unknown as Shard;
      }),
      slotMaps,
      admissions: new Admissions(
        (id) => shardOfSlot(slotMaps.current(), slotOfTransferId(id)),
        life.clock,
      ),
      queueMax: QUEUE_MAX,
      holdTimeoutMs: HOLD_TIMEOUT_MS,
      doorbell: world.bell.doorbellFor(life),
      metrics: NO_METRICS,
      clock: life.clock,
      makeGate: openGate,
    });
    const dependencies = {
      doors: tamperedDoors(world, doorsForBoth(doors)),
      keyMemory: forgetfulMemory(world),
      firstTransfers: { read: async () => undefined, under: async () => undefined },
      accountCurrencies: new AccountCurrencies(async () => 'EUR'),
      currencies: currencyTable(),
      defaultCurrency: 'EUR',
      composeId: (slot: number) => composeId(world, slot),
    };
    world.front.open(life, {
      postTransfer: postTransfer(dependencies),
      postFunding: postFunding(dependencies),
      cancel: (transferId) => cancel(world, life, doors, transferId),
    });
  };
}

type KeyMemoryPort = PostTransferDependencies['keyMemory'] & PostFundingDependencies['keyMemory'];

/** It forgets each key at once, so that the rows alone decide, and sometimes it is away. */
function forgetfulMemory(world: World): KeyMemoryPort {
  const remember = async (): Promise<EarlierUse> => {
    world.keysRemembered += 1;
    return world.keysRemembered % MEMORY_AWAY_EVERY === 0 ? 'unknown' : 'none';
  };
  const lookUp = async (): Promise<EarlierUse> => 'none';
  return { lookUp, remember, rememberAll: (keys) => Promise.all(keys.map(remember)) };
}

/** Never shut: every request meets whatever the shard is in. */
function openGate({ shard }: { readonly shard: number }): Gate {
  return { shard, isOpen: false, run: (work) => work(), close: () => undefined };
}

function composeId(world: World, slot: number): TransferId {
  world.idsComposed += 1;
  const random = new Uint8Array(8);
  new DataView(random.buffer).setUint32(4, world.idsComposed);
  return composeTransferId(ID_TIME_MS + world.idsComposed, slot, random);
}

function cancel(
  world: World,
  life: Life,
  doors: ShardDoors,
  transferId: TransferId,
): Promise<CancelResult> {
  const events = (slot: number, id: TransferId): Promise<readonly EventRow[]> =>
    doors.readWhole(slot, ({ id: shardId }) => {
      const shard = world.shards[shardId]!;
      return shard.statement(life, () =>
        STEPS.flatMap((step) => shard.rows.events.get(`${id}/${step}`) ?? []),
      );
    });
  const ports = {
    events,
    void: doors.voidTransfer.bind(doors),
    follow: doors.followDecision.bind(doors),
  };
  const request = { transferId, reason: 'cancelled_by_client', actor: 'client:default' } as const;
  return cancelTransfer(ports, request);
}

/** Half of the attempts come as batches of one: their steps are taken with them, where they can be. */
function doorsForBoth(doors: ShardDoors): ShardDoors {
  const both = Object.create(doors) as ShardDoors;
  both.requestTransfer = async (request) => {
    const comesAlone = Number.parseInt(request.transferId.slice(-1), 16) % 2 === 0;
    if (comesAlone) return doors.requestTransfer(request);
    const [outcome] = await doors.requestTransfers([request]);
    if (outcome?.status === 'fulfilled') return outcome.value;
    throw outcome?.reason;
  };
  return both;
}

/** Planted bugs that lie between a request and its answer. */
function tamperedDoors(world: World, doors: ShardDoors): ShardDoors {
  const tampered = Object.create(doors) as ShardDoors;
  if (world.has('acknowledged_before_commit')) {
    tampered.requestTransfer = async (request) => {
      doors.requestTransfer(request).catch(() => undefined);
      return { kind: 'accepted', transferId: request.transferId, requestedAt: '' };
    };
  }
  if (world.has('fingerprint_ignored')) {
    tampered.requestTransfer = (request) =>
      doors.requestTransfer({ ...request, fingerprint: `01${'0'.repeat(64)}` });
  }
  return tampered;
}
