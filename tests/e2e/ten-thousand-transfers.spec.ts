import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PROCESS_NAMES, SuretySystem, inParallel, readMetrics } from '@surety/testing/system';
import type { Reply, TransferWish } from '@surety/testing/system';
import type { TransferAcceptedAnswer } from '@surety/contracts';
import { Chance } from './chance.js';
import { replayHistory } from './history.js';
import { withShards } from './shard-tables.js';

const TRANSFERS = 10_000;
const ACCOUNTS = 200;
const CONCURRENCY = 64;
const BURST_TRANSFERS = 4_000;
const BURST_CONCURRENCY = 256;
const OPENING_MINOR = 1_000_000n;

interface Journal {
  readonly wish: TransferWish & { readonly minor: bigint };
  readonly answers: Reply<TransferAcceptedAnswer>[];
}

function decimal(minor: bigint): string {
  return `${minor / 100n}.${String(minor % 100n).padStart(2, '0')}`;
}

const accounts = Array.from({ length: ACCOUNTS }, (_, n) => `E2E-${n}`);

function aWish(chance: Chance, n: number): Journal['wish'] {
  const source = chance.below(ACCOUNTS);
  const destination = (source + 1 + chance.below(ACCOUNTS - 1)) % ACCOUNTS;
  // A tenth asks for more than all accounts together have.
  const isShort = n % 10 === 3;
  const minor = isShort
    ? OPENING_MINOR * BigInt(ACCOUNTS) + BigInt(chance.below(1000))
    : BigInt(1 + chance.below(50_000));
  return {
    sourceAccount: accounts[source] as string,
    destinationAccount: accounts[destination] as string,
    amount: decimal(minor),
    currency: 'EUR',
    minor,
  };
}

async function sqlTotals(system: SuretySystem): Promise<{ statements: number; commits: number }> {
  const pages = await Promise.all(
    PROCESS_NAMES.map((name) => readMetrics(system.process(name).adminUrl)),
  );
  return {
    statements: pages.reduce((sum, page) => sum + page.sum('surety_sql_statements_total'), 0),
    commits: pages.reduce((sum, page) => sum + page.sum('surety_sql_commits_total'), 0),
  };
}

async function workerBatches(system: SuretySystem): Promise<{ items: number; count: number }> {
  const page = await readMetrics(system.process('workers').adminUrl);
  return {
    items: page.sum('surety_batch_items_sum', 'unit="worker"'),
    count: page.sum('surety_batch_items_count', 'unit="worker"'),
  };
}

describe('10,000 transfers over 200 accounts on two shards', () => {
  let system: SuretySystem;
  const seed = Number(process.env['SURETY_TEST_SEED'] ?? Date.now() % 1_000_000);
  const chance = new Chance(seed);
  const journals: Journal[] = [];

  beforeAll(async () => {
    system = await SuretySystem.start();
    const { client } = system;
    await inParallel(accounts, 16, async (id) => {
      const opened = await client.openAccount(id);
      const funded = await client.deposit(id, decimal(OPENING_MINOR), `open-${id}`);
      expect([opened.status, funded.status]).toEqual([201, 201]);
    });
  });

  afterAll(async () => {
    await system.stop();
  });

  it(`are all accepted, whichever come twice (seed ${seed})`, async () => {
    const { client } = system;
    const before = await sqlTotals(system);
    const wishes = Array.from({ length: TRANSFERS }, (_, n) => aWish(chance, n));
    const done = await inParallel(wishes, CONCURRENCY, async (wish, n) => {
      const key = `e2e-${seed}-${n}`;
      const isTwiceAtOnce = n % 20 === 7;
      const { minor: _, ...body } = wish;
      const answers = await Promise.all(
        Array.from({ length: isTwiceAtOnce ? 2 : 1 }, () => client.submit(body, key)),
      );
      return { wish, answers };
    });
    journals.push(...done);
    await inParallel(journals, CONCURRENCY, async ({ wish, answers }, n) => {
      const { minor: _, ...body } = wish;
      if (n % 20 === 17) answers.push(await client.submit(body, `e2e-${seed}-${n}`));
    });
    await system.drained(240_000);
    const after = await sqlTotals(system);
    const perTransfer = (total: number): string => (total / TRANSFERS).toFixed(3);
    process.stderr.write(
      `\nper transfer: ${perTransfer(after.statements - before.statements)} SQL statements, ` +
        `${perTransfer(after.commits - before.commits)} commits\n`,
    );
    expect(journals.flatMap(({ answers }) => answers.map((a) => a.status))).toEqual(
      Array<number>(TRANSFERS + TRANSFERS / 10).fill(202),
    );
  });

  it('no key makes two transfers, and a replay gives the first answer', async () => {
    await withShards(system.shardUrls, async (shards) => {
      const sql = 'SELECT kind, COUNT(*) AS n FROM transfers GROUP BY kind';
      const rows = (await Promise.all(shards.map((shard) => shard.rows(sql)))).flat();
      const stored = (kind: string): number =>
        rows.filter((row) => row['kind'] === kind).reduce((sum, row) => sum + Number(row['n']), 0);
      expect([stored('transfer'), stored('funding')]).toEqual([TRANSFERS, ACCOUNTS]);
    });
    const ids = journals.map(({ answers }) => answers[0]?.body.transactionId);
    expect(new Set(ids).size).toBe(TRANSFERS);
    for (const { answers } of journals.filter((journal) => journal.answers.length > 1)) {
      expect(answers[1]?.body).toEqual(answers[0]?.body);
      const replays = answers.filter((a) => a.headers.get('idempotency-replayed') === 'true');
      expect(replays).toHaveLength(1);
    }
  });

  it('every one ends, and balances are what a replay of the committed ones gives', async () => {
    const { client } = system;
    const balances = new Map(accounts.map((id) => [id, OPENING_MINOR]));
    const add = (id: string, minor: bigint): unknown =>
      balances.set(id, (balances.get(id) as bigint) + minor);
    const ends = await inParallel(journals, CONCURRENCY, async ({ answers }) => {
      const { body } = await client.transfer(answers[0]?.body.transactionId as string);
      return body;
    });
    for (const [n, end] of ends.entries()) {
      const { wish } = journals[n] as Journal;
      expect(['committed', 'rejected']).toContain(end.status);
      if (n % 10 === 3) expect(end).toMatchObject({ reason: 'insufficient_funds' });
      if (end.status === 'rejected') expect(end.reason).toBe('insufficient_funds');
      if (end.status !== 'committed') continue;
      add(wish.sourceAccount, -wish.minor);
      add(wish.destinationAccount, wish.minor);
    }
    const answered = await inParallel(accounts, 16, async (id) => (await client.balance(id)).body);
    for (const { accountId, balance, held } of answered) {
      expect([accountId, balance, held]).toEqual([
        accountId,
        decimal(balances.get(accountId) as bigint),
        '0.00',
      ]);
    }
    const history = await replayHistory(system.shardUrls);
    expect(history.faults).toEqual([]);
    expect(history.refusalsProven).toBe(ends.filter((end) => end.status === 'rejected').length);
    expect(history.refusalsProven).toBeGreaterThanOrEqual(TRANSFERS / 10);
    for (const id of accounts) expect(history.standings.get(id)?.balance).toBe(balances.get(id));
  });

  it('`surety check` finds nothing', async () => {
    const { exitCode, stdout, stderr } = await system.surety('check', '--full');
    expect({ exitCode, output: exitCode === 0 ? '' : stdout + stderr }).toEqual({
      exitCode: 0,
      output: '',
    });
  });

  it('projections equal the truth and equal a rebuild from zero', async () => {
    const projections = ['balances', 'transaction_status'];
    await withShards(system.shardUrls, async (shards) => {
      const kept = await Promise.all(shards.map((shard) => shard.dump(projections)));
      for (const shard of shards) {
        expect(await shard.rows(DIFFERING_BALANCES)).toEqual([]);
        expect(await shard.rows(DIFFERING_STATUSES)).toEqual([]);
        await shard.rows('DELETE FROM balances');
        await shard.rows('DELETE FROM transaction_status');
      }
      await promisify(execFile)(process.execPath, ['apps/projector/dist/main.js', 'rebuild'], {
        env: { PATH: process.env['PATH'] ?? '', ...system.environment('projector') },
      });
      expect(await Promise.all(shards.map((shard) => shard.dump(projections)))).toEqual(kept);
    });
  });

  it('more than it can take is gathered: worker transactions carry 10 or more steps', async () => {
    const { client } = system;
    const before = await workerBatches(system);
    const wishes = Array.from({ length: BURST_TRANSFERS }, (_, n) => aWish(chance, n));
    await inParallel(wishes, BURST_CONCURRENCY, ({ minor: _, ...body }, n) =>
      client.submit(body, `burst-${seed}-${n}`),
    );
    await system.drained(240_000);
    const after = await workerBatches(system);
    const mean = (after.items - before.items) / (after.count - before.count);
    process.stderr.write(`\nstep messages per worker transaction under load: ${mean.toFixed(1)}\n`);
    expect(mean).toBeGreaterThanOrEqual(10);
  });
});

const DIFFERING_BALANCES = `
  SELECT a.id, a.balance, a.held, a.version, b.balance AS projected, b.version AS projected_version
  FROM accounts a LEFT JOIN balances b ON b.account_id = a.id
  WHERE (b.account_id IS NULL AND a.version > 0)
     OR a.balance <> b.balance OR a.held <> b.held OR a.version <> b.version`;

const DIFFERING_STATUSES = `
  SELECT HEX(t.id) AS id, t.state, s.status
  FROM transfers t LEFT JOIN transaction_status s ON s.transfer_id = t.id
  WHERE s.status <> t.state OR (s.transfer_id IS NULL
    AND t.state IN ('committed', 'rejected', 'cancelled'))`;
