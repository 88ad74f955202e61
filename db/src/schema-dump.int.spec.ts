import { expect, it } from '@jest/globals';
import { createTestShards } from '@surety/testing/shards';
import { migrateShards } from './migrate.js';
import { openShards } from './shard-pools.js';
import { checkedInSchema, dumpSchema } from './schema-dump.js';

it('a migrated schema is the one that is checked in, and migrating again changes nothing', async () => {
  const shards = await createTestShards({ count: 2 });
  try {
    const lines: string[] = [];
    await migrateShards(shards.urls, { log: (line) => lines.push(line) });
    expect(lines).toEqual(['shard 0: up to date', 'shard 1: up to date']);
    for (const url of shards.urls) expect(await dumpSchema(url)).toBe(checkedInSchema());
  } finally {
    await shards.drop();
  }
});

it('a migration that was killed is taken up again', async () => {
  const shards = await createTestShards();
  try {
    const [shard] = shards.pools.shards;
    // What is left behind: knex's own lock, a table that was made, and no note of it.
    await shard!.send(['UPDATE knex_migrations_lock SET is_locked = 1']);
    await shard!.send([`DELETE FROM knex_migrations WHERE name >= '0004'`, 'DROP TABLE outbox']);
    await migrateShards(shards.urls);
    expect(await dumpSchema(shards.urls[0]!)).toBe(checkedInSchema());
  } finally {
    await shards.drop();
  }
});

it('two migrations at the same time come to one schema and one placement', async () => {
  const shards = await createTestShards({ count: 2 });
  try {
    await Promise.all([1, 2, 3].map(() => migrateShards(shards.urls)));
    expect((await shards.pools.slotMaps.reload()).ranges).toEqual([
      { fromSlot: 0, shard: 0 },
      { fromSlot: 2048, shard: 1 },
    ]);
  } finally {
    await shards.drop();
  }
});

it('shards in another order than they were made in are refused', async () => {
  const shards = await createTestShards({ count: 2 });
  const swapped = openShards({ urls: shards.urls.toReversed(), poolSize: 2, partitions: 1 });
  try {
    await expect(swapped.ready()).rejects.toThrow('leads to shard');
    await expect(migrateShards(shards.urls.toReversed())).rejects.toThrow('leads to shard');
  } finally {
    await swapped.close();
    await shards.drop();
  }
});
