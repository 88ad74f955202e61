import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fundAccounts, openAccounts } from '@surety/saga';
import { aDeposit, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import type { Shard } from '../../shard-pools.js';
import { listAccountLegs } from './list-account-legs.js';

let shards: TestShards;
let shard: Shard;

beforeAll(async () => {
  shards = await createTestShards({ count: 1 });
  [shard] = shards.pools.shards as [Shard];
  await openAccounts(shard.store, [anOpening('legs'), anOpening('others')]);
  for (let n = 1; n <= 7; n += 1) {
    await fundAccounts(shard.store, [aDeposit('legs', eur(n), n), aDeposit('others', eur(n), n)]);
  }
});

afterAll(async () => {
  await shards?.drop();
});

describe('the legs of an account', () => {
  it('come oldest first, in pages that neither skip nor repeat one', async () => {
    const seen: bigint[] = [];
    let above = 0n;
    for (;;) {
      const page = await listAccountLegs(shard, 'legs', above, 3);
      seen.push(...page.map(({ minor }) => minor));
      above = page.at(-1)?.entrySeq ?? above;
      if (page.length < 3) break;
    }
    expect(seen).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n]);
    expect(await listAccountLegs(shard, 'legs', 7n, 3)).toEqual([]);
  });

  it('are read by their index, in its order', async () => {
    const sent: string[] = [];
    const spy = {
      id: shard.id,
      send: (statements: readonly string[]) => {
        sent.push(...statements);
        return shard.send(statements);
      },
    };
    await listAccountLegs(spy, 'legs', 2n, 3);
    const [plan] = await shard.send([`EXPLAIN FORMAT=JSON ${sent[0]}`]);
    const text = String(plan?.rows[0]?.[0]);
    expect(text).toContain('ledger_entries_by_account');
    // In the words of MariaDB, or of MySQL.
    expect(text).toMatch(/"access_type": "range"|Index range scan/);
    expect(text).not.toMatch(/"filesort"|"operation": "Sort/);
  });
});
