import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { LEASE_TTL_MS, ShardLoops } from '@surety/reconciler';
import type { RoutableSweepShard } from '@surety/reconciler';
import { NO_CHANGES, StoreError, applySteps } from '@surety/saga';
import type { Life, SimulatedShard } from '@surety/testing/simulation';
import { NO_METRICS, causes, watchfulLog } from './silence.js';
import { sweepReads } from './sweep-reads.js';
import { HOLD_TIMEOUT_MS, STALL_TIMEOUT_MS } from './world.js';
import type { World } from './world.js';

const RECONCILE_INTERVAL_MS = 1_000;
const ROWS_MAX = 8;

/** The reconciler's loops of every shard: lease and sweeps. */
export function reconciler(world: World): (life: Life) => Promise<void> {
  return async (life) => {
    const slotMaps = world.slotMaps(life);
    const shards = world.shards.map((shard): RoutableSweepShard => {
      const store = world.store(life, shard, slotMaps);
      return {
        id: shard.id,
        store,
        reads: sweepReads(life, shard),
        raiseFence: (fence) =>
          shard.statement(life, () => {
            shard.memory.raiseFence(fence);
          }),
        moveListEnd: () => Promise.resolve(false),
      };
    });
    for (const shard of world.shards) {
      loopsOf(world, life, { shard, shards, slotMaps }).start();
      bypass(world, life, shards[shard.id]!);
    }
  };
}

interface Parts {
  readonly shard: SimulatedShard;
  readonly shards: readonly RoutableSweepShard[];
  readonly slotMaps: ReturnType<World['slotMaps']>;
}

function loopsOf(world: World, life: Life, { shard, shards, slotMaps }: Parts): ShardLoops {
  const lease = { name: 'reconciler', ttlMs: LEASE_TTL_MS, isExclusive: world.hasLeases };
  return new ShardLoops({
    config: {
      holdTimeoutMs: HOLD_TIMEOUT_MS,
      stallTimeoutMs: STALL_TIMEOUT_MS,
      reconcileIntervalMs: RECONCILE_INTERVAL_MS,
      // The list in memory has every open transfer.
      openListLag: 0,
    },
    source: shards[shard.id]!,
    shards,
    slotMaps,
    lease: shard.leases.leaseFor(life, lease),
    clock: life.clock,
    metrics: NO_METRICS,
    log: watchfulLog(life),
    listener: {
      repaired: ({ kind, transferId }) => {
        life.kernel.note(life.process.name, `repairs: ${kind} of ${transferId}`, [transferId]);
      },
      trouble: ({ kind, message, transferId }) => {
        if (kind === 'shard_away') return;
        // Reads are not fenced by an epoch: of slots that move they may see the old place.
        if (kind === 'missing_event' && world.map.epoch > 1n) return;
        world.broken(`the reconciler met ${message}`, transferId ? [transferId] : []);
      },
    },
  });
}

/** Planted bugs that go past the steps, beside the loops. */
function bypass(world: World, life: Life, shard: RoutableSweepShard): void {
  const { random } = world;
  const turn = async (): Promise<void> => {
    if (world.has('release_on_a_timer')) await releaseExpired(shard);
    else await cancelBesideTheSteps(shard);
  };
  const again = (): void => {
    turn()
      .catch((error: unknown) => {
        if (error instanceof StoreError && error.kind !== 'data') return;
        world.broken(`${life.process.name} met ${causes(error)}`);
      })
      .finally(() => life.later(random.between(500, 2_000), again));
  };
  if (world.has('release_on_a_timer') || world.has('repair_beside_the_steps')) again();
}

async function releaseExpired({ reads, store }: RoutableSweepShard): Promise<void> {
  const holds = await reads.expiredHolds(undefined, ROWS_MAX);
  const held = await reads.events(holds.map(({ transferId }) => ({ transferId, step: 20 })));
  const invented = held
    .map((row) => readEnvelope(row.envelope))
    .map((envelope): Envelope => ({
      ...envelope,
      id: `${envelope.transferId}/30`,
      type: 'voided',
      step: 30,
      data: { ...envelope.data, reason: 'hold_expired' },
    }));
  await applySteps(store, invented, { holdTimeoutMs: HOLD_TIMEOUT_MS, actor: 'reconciler' });
}

async function cancelBesideTheSteps({ reads, store }: RoutableSweepShard): Promise<void> {
  for (const { transferId } of await reads.expiredHolds(undefined, ROWS_MAX)) {
    await store.transact({ transfers: [transferId] }, ({ transfers }) => {
      const row = transfers.get(transferId);
      if (row?.state !== 'held') return { changes: NO_CHANGES, result: undefined };
      const update = { ...row, from: 'held', to: 'cancelled', reason: 'hold_expired' } as const;
      const changes = { ...NO_CHANGES, transfersUpdated: [update], holdsDeleted: [transferId] };
      return { changes, result: undefined };
    });
  }
}
