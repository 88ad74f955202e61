import { MessageHandler, ShardProjection } from '@surety/projector';
import type { ProjectionStore } from '@surety/projector';
import type { Life, SimulatedShard } from '@surety/testing/simulation';
import { NO_METRICS, watchfulLog } from './silence.js';
import type { World } from './world.js';

/** The projector's handler. Its tables are one for all shards: they are disposable, and no slot moves them. */
export function projector(world: World): (life: Life) => Promise<void> {
  return async (life) => {
    const slotMaps = world.slotMaps(life);
    const shared = { clock: life.clock, metrics: NO_METRICS, log: watchfulLog(life) };
    const projectionOf = (shard: SimulatedShard): ShardProjection =>
      new ShardProjection({
        ...shared,
        store: tables(world, life, shard),
        copies: { write: async () => 0 },
        doorbell: world.bell.doorbellFor(life),
      });
    const handler = new MessageHandler({
      ...shared,
      currentMap: () => slotMaps.current(),
      bury: async (_, { error }) => {
        life.kernel.broken(`${life.process.name} buries a message: ${error}`);
      },
      projections: new Map(world.shards.map((shard) => [shard.id, projectionOf(shard)])),
    });
    await world.projectors.consume(life, (batch) => handler.handle(batch));
  };
}

function tables(world: World, life: Life, shard: SimulatedShard): ProjectionStore {
  const isUnguarded = world.has('projector_without_version_guard');
  return {
    shard: shard.id,
    upsertBalances: (rows) =>
      shard.statement(life, () => {
        for (const row of rows) {
          const version = world.balances.get(row.accountId)?.version ?? -1n;
          if (isUnguarded || version < row.version) world.balances.set(row.accountId, row);
        }
      }),
    upsertStatuses: (rows) =>
      shard.statement(life, () => {
        for (const row of rows) {
          const version = world.statuses.get(row.transferId)?.version ?? 0;
          if (isUnguarded || version < row.version) world.showStatus(row);
        }
      }),
  };
}
