import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { upsertBalances } from '@surety/db';
import type { Shard } from '@surety/db';
import { slotOfAccount } from '@surety/domain';
import { fundAccounts, openAccounts } from '@surety/saga';
import { aDeposit, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { runInProcess } from './spec-support.js';
import type { Ran } from './spec-support.js';

const RICH = 'rich-1';
const EMPTY = 'empty-1';

let shards: TestShards;
let shard: Shard;

function surety(...args: string[]): Promise<Ran> {
  return runInProcess(args, { environment: { SURETY_SHARDS: shards.urls.join(',') } });
}

beforeAll(async () => {
  shards = await createTestShards({ count: 1 });
  [shard] = shards.pools.shards as [Shard];
  await openAccounts(shard.store, [anOpening(RICH), anOpening(EMPTY)]);
  await fundAccounts(
    shard.store,
    [1, 2, 3].map((n) => aDeposit(RICH, eur(10_00), n)),
  );
});

afterAll(async () => {
  await shards?.drop();
});

describe('surety accounts show', () => {
  it('tells money, status, shard and the last entries, newest first', async () => {
    const { code, out } = await surety('accounts', 'show', RICH, '--entries', '2');
    expect(code).toBe(0);
    expect(out).toContain(`account      ${RICH}`);
    expect(out).toContain('status       open');
    expect(out).toContain('balance      30.00 EUR');
    expect(out).toContain('available    30.00 EUR');
    expect(out).toContain(`shard        0, slot ${slotOfAccount(RICH)}`);
    const entries = out.split('\n').filter((line) => /^ +[0-9] +[0-9]{4}-/.test(line));
    expect(entries.map((line) => line.trim().split(/ +/)[0])).toEqual(['3', '2']);
  });

  it('says how far the projection is behind', async () => {
    expect((await surety('accounts', 'show', EMPTY)).out).toContain('none yet');
    const row = {
      ...{ accountId: RICH, slot: slotOfAccount(RICH), currency: 'EUR' },
      ...{ balance: 10_00n, held: 0n, version: 1n, updatedAt: '2026-01-31T10:15:30.123456Z' },
    };
    await upsertBalances(shard, [row]);
    expect((await surety('accounts', 'show', RICH)).out).toContain(
      'projection   balance 10.00 EUR, held 0.00 EUR, version 1 (2 behind)',
    );
  });

  it('gives machines one document with exact sums', async () => {
    const { out } = await surety('accounts', 'show', RICH, '--json', '--entries', '0');
    expect(JSON.parse(out)).toMatchObject({
      ...{ shard: 0, availableMinor: '3000', entries: [] },
      account: { id: RICH, status: 'open', balance: '3000', version: '3' },
    });
  });

  it('says that there is no such account, and refuses what can be none', async () => {
    const missing = await surety('accounts', 'show', 'nobody');
    expect(missing).toMatchObject({
      code: 1,
      out: '',
      err: 'surety: there is no account nobody\n',
    });
    const wrong = await surety('accounts', 'show', "x' OR 1=1");
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('is not an account id');
  });
});
