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
        copies: { writeEnds: async () => 0, writeBalances: async () => 0 },
        doorbell: world.bell.doorbellFor(life),
      });
    const handler = new MessageHandler({
      partitions: 16,
      ...shared,
      currentMap: () => slotMaps.current(),
      bury: async (_, { error }) => {
        life.kernel.broken(`${life.process.name} buries a message: ${error}`);
      },
      projections: new Map(world.shards.map((shard) => [shard.id, projectionOf(shard)])),
    });
    await world.projectors.consume(life, (batch, attempt) => handler.handle(batch, attempt));
  };
}

function tables(world: World, life: Life, shard: SimulatedShard): ProjectionStore {
  const isUnguarded = world.has('projector_without_version_guard');
  return {
    shard: shard.id,
    upsert: (rows) =>
      shard.statement(life, () => {
        takeNewer(world, rows, isUnguarded);
      }),
  };
}

function takeNewer(
  world: World,
  rows: Parameters<ProjectionStore['upsert']>[0],
  isUnguarded: boolean,
): void {
  const isNewer = (version: bigint | number, known: bigint | number | undefined): boolean =>
    isUnguarded || known === undefined || known < version;
  for (const row of rows.balances) {
    const known = world.balances.get(row.accountId);
    if (isNewer(row.version, known?.version)) world.balances.set(row.accountId, row);
  }
  for (const row of rows.statuses) {
    const known = world.statuses.get(row.transferId);
    if (isNewer(row.version, known?.version)) world.showStatus(row);
  }
}
