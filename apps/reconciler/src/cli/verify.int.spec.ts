import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Shard } from '@surety/db';
import { fundAccounts, openAccounts } from '@surety/saga';
import { aDeposit, aTransferId, anAccountIdOn, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { sealShard } from '../seals/seal-shard.js';
import { runCli } from './program.js';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface VerifyDocument {
  readonly ok: boolean;
  readonly shards: readonly {
    readonly shard: number;
    readonly entries: string;
    readonly head: { readonly seal: string; readonly hash: string };
    readonly findings: readonly Record<string, unknown>[];
  }[];
}

let shards: TestShards;
let shard: Shard;
let payer: string;

async function verify(...args: string[]): Promise<Ran> {
  const lines = { out: '', err: '' };
  const code = await runCli(['verify', ...args], {
    environment: { SURETY_SHARDS: shards.urls.join(',') },
    directory: '/',
    print: (text) => (lines.out += `${text}\n`),
    printError: (text) => (lines.err += `${text}\n`),
  });
  return { code, ...lines };
}

async function verifyJson(...args: string[]): Promise<VerifyDocument> {
  return JSON.parse((await verify('--json', ...args)).out) as VerifyDocument;
}

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  shard = shards.pools.shards[0]!;
  payer = anAccountIdOn(shards.pools.slotMaps.current(), 0, 'payer');
  await openAccounts(shard.store, [anOpening(payer)]);
  for (const n of [1, 2, 3]) {
    await fundAccounts(shard.store, [aDeposit(payer, eur(100), n)]);
    if (n < 3) await sealShard(shard);
  }
});

afterAll(async () => {
  await shards?.drop();
});

describe('surety verify', () => {
  it('says what it compared, what is not sealed yet, and the anchors', async () => {
    const { code, out } = await verify();
    expect(code).toBe(0);
    expect(out).toMatch(/^shard +result +seals +entries +not sealed yet +sealed until +ms\n/);
    expect(out).toMatch(/\n +0 +ok +2 +2 +1 +\d{4}-\d\d-\d\dT[0-9:.]+Z +\d+\n/);
    expect(out).toMatch(/\n +1 +ok +0 +0 +0 +nothing is sealed +\d+\n/);
    expect(out).toMatch(/\nanchor: 0:2:[0-9a-f]{64}\n/);
    expect(out).toContain('2 seals, 2 entries compared: the ledger is what was sealed');
  });

  it('looks at one shard, and at what was sealed after a seal, where it is asked to', async () => {
    expect((await verifyJson('--shard', '1')).shards.map((one) => one.shard)).toEqual([1]);
    const since = await verifyJson('--shard', '0', '--since-seal', '1');
    expect(since.shards).toMatchObject([{ seals: 1, entries: '1' }]);
  });

  it('holds the seals against a hash that was kept', async () => {
    const { head } = (await verifyJson('--shard', '0')).shards[0]!;
    expect(await verify('--anchor', `0:${head.seal}:${head.hash}`)).toMatchObject({ code: 0 });
    const { code, out } = await verify('--anchor', `0:1:${head.hash}`);
    expect(code).toBe(1);
    expect(out).toMatch(/seal altered +seal 1 +the seal has another hash than was kept/);
  });

  it.each([
    [['--shard', '2'], 'there is no shard 2'],
    [['--anchor', `7:1:${'0'.repeat(64)}`], 'there is no shard 7'],
    [['--anchor', '0:1:abc'], 'shard:seal:hash'],
    [['--since-seal', '-1'], 'whole number'],
  ])('cannot run with %p', async (args, message) => {
    const { code, err } = await verify(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('names an altered entry by account, number, transfer and step', async () => {
    const transfer = aTransferId(payer, 1_000_002);
    const set = (sign: string): string =>
      `UPDATE ledger_entries SET amount = amount ${sign} 5, balance_after = balance_after ${sign} 5 ` +
      `WHERE account_id = '${payer}' AND entry_seq = 2`;
    await shard.send([set('+')]);
    const { code, out } = await verify();
    expect(code).toBe(1);
    const place = `account ${payer} entry 2, transfer ${transfer} step 40, seal 2`;
    expect(out).toMatch(new RegExp(`entry altered +${place} +the entry or another leg`));
    expect(out).toContain('amount=105 balanceAfter=205 legs=2 legsSum=5');
    expect(out).toContain('2 seals, 2 entries compared: 1 found');
    expect(await verifyJson()).toMatchObject({
      ok: false,
      shards: [
        {
          findings: [
            { kind: 'altered', subject: 'entry', account: payer, entrySeq: '2', seal: '2' },
          ],
        },
        { findings: [] },
      ],
    });
    await shard.send([set('-')]);
    expect(await verify()).toMatchObject({ code: 0 });
  });
});
