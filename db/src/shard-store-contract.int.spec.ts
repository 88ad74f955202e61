import { createTestShards } from '@surety/testing/shards';
import { describeShardStore } from '@surety/testing/shard-store-contract';
import type { ShardStoreUnderTest } from '@surety/testing/shard-store-contract';
import { readBigint, readCount, readText, readUuid } from './connection/cells.js';
import type { Row } from './connection/cells.js';
import { readRows } from './connection/session.js';
import { acquireLease } from './statements/leases/acquire-lease.js';
import { OPEN_TRANSFERS } from './statements/rows/open-transfers.js';

const LEASE_TTL_MS = 600_000;

describeShardStore('in SQL', () => inSql());
describeShardStore('in SQL, where no open transfer is listed', () => inSql({ listedBelow: '0' }));

async function inSql({ listedBelow = 'f' } = {}): Promise<ShardStoreUnderTest> {
  const shards = await createTestShards();
  const shard = shards.pools.shards[0]!;
  const { slotMaps } = shards.pools;
  await shard.send([`UPDATE placement SET listed_below = x'${listedBelow.repeat(32)}'`]);
  const all = <T>(columns: string, table: string, read: (row: Row) => T): Promise<T[]> =>
    readRows(shard, `SELECT ${columns} FROM ${table}`, read);
  return {
    store: shard.store,
    epoch: () => slotMaps.current().epoch,
    raiseEpoch: async () => {
      await shard.send(['UPDATE placement SET epoch = epoch + 1 WHERE id = 1']);
      await slotMaps.reload();
    },
    takeLease: async (name, holder) => {
      await shard.send(['UPDATE leases SET expires_at = NOW(6)']);
      return (await acquireLease(shard, { name, holder, ttlMs: LEASE_TTL_MS }))!.token;
    },
    stored: async () => ({
      holds: await all('transfer_id', 'holds', ([id]) => readUuid(id)),
      openTransfers: await all('transfer_id', `${OPEN_TRANSFERS} AS o`, ([id]) => readUuid(id)),
      events: await all(
        'transfer_id, step',
        'transfer_events',
        ([id, step]) => `${readUuid(id)}/${readCount(step)}`,
      ),
      audited: await all('transfer_id', 'audit_log', ([id]) => readUuid(id)),
      legs: await all('amount', 'ledger_entries', ([amount]) => readBigint(amount)),
      outbox: await all('payload', 'outbox', ([payload]) => readText(payload)),
    }),
    drop: () => shards.drop(),
  };
}
