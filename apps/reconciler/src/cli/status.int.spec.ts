import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import { acquireLease, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import { applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import { createMetrics, startAdminServer } from '@surety/runtime';
import type { AdminServer } from '@surety/runtime';
import { aDeposit, aTransferRequest, anAccountIdOn, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { runInProcess } from './spec-support.js';
import type { Ran } from './spec-support.js';
import type { StatusReport } from './status/report.js';

const NOBODY_LISTENS = 'http://127.0.0.1:1';

let shards: TestShards;
let source: Shard;
let admin: AdminServer;
let kafkaIsUp = true;
const metrics = createMetrics('workers');

function status(args: readonly string[] = [], more: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const SURETY_SHARDS = shards.urls.join(',');
  // Nothing relays here, so that messages and transfers wait for as long as the spec runs.
  const environment = { SURETY_SHARDS, HOLD_TIMEOUT: '1h', SURETY_STALL_TIMEOUT: '1h', ...more };
  return runInProcess(['status', ...args], { environment });
}

function processes(): NodeJS.ProcessEnv {
  return { SURETY_PROCESSES: `workers-1=http://127.0.0.1:${admin.port}` };
}

async function reportOf(more: NodeJS.ProcessEnv = {}): Promise<StatusReport> {
  return JSON.parse((await status(['--json'], more)).out) as StatusReport;
}

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [source] = shards.pools.shards as [Shard, Shard];
  const [payer, payee] = [0, 1].map((shard) =>
    anAccountIdOn(shards.pools.slotMaps.current(), shard, 'status'),
  ) as [string, string];
  await openAccounts(source.store, [anOpening(payer)]);
  await fundAccounts(source.store, [aDeposit(payer, eur(100_00), 1)]);
  const requests = [1, 2, 3].map((n) =>
    aTransferRequest({ n, source: payer, destination: payee, amount: eur(10_00) }),
  );
  await requestTransfers(source.store, requests);
  const [event] = await readTimeline(source, requests[0]!.transferId);
  const requested = readEnvelope(event!.envelope);
  await applySteps(source.store, [requested], { holdTimeoutMs: 3_600_000, actor: 'saga' });
  for (const shard of shards.pools.shards) {
    await acquireLease(shard, { name: 'reconciler', holder: 'r-1', ttlMs: 600_000 });
  }
  metrics.consumerLag.set({ topic: 'to-source', partition: '0' }, 5);
  metrics.consumerLag.set({ topic: 'to-source', partition: '1' }, 2);
  admin = await startAdminServer({
    ...{ host: '127.0.0.1', port: 0, metrics, isStopping: () => false },
    checks: {
      kafka: async () => {
        if (!kafkaIsUp) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
      },
    },
  });
});

afterAll(async () => {
  await admin?.close();
  await shards?.drop();
});

describe('surety status', () => {
  it('counts what stands open on each shard and names who leads', async () => {
    const { shards: seen, held, attention } = await reportOf();
    expect(seen).toMatchObject([
      {
        ...{ id: 0, answers: true },
        outbox: { rows: 3, isMore: false },
        open: { byState: { requested: 2, held: 1 } },
        leases: [{ name: 'reconciler', holder: 'r-1', isHeld: true }],
      },
      { id: 1, answers: true, outbox: { rows: 0 }, open: { byState: {} } },
    ]);
    expect(held).toEqual([{ currency: 'EUR', sumMinor: '1000', holds: 1 }]);
    expect(attention).toEqual([]);
  });

  it('fits one screen and ends well where nothing stands out', async () => {
    const { code, out } = await status([], processes());
    expect(code).toBe(0);
    expect(out).toMatch(/workers-1 +ready +(?:\d+m )?[0-9.]+s +7 /);
    expect(out).toContain('held: 10.00 EUR (1 hold)');
    expect(out).toMatch(/nothing stands out\n$/);
    expect(out.split('\n').length).toBeLessThan(24);
  });

  it('says that it does not know where the processes are', async () => {
    expect((await reportOf()).processes).toBeNull();
    expect((await status()).out).toContain('processes: unknown here');
  });

  it('shows a process that is unready, and one that is gone, and ends with 1', async () => {
    kafkaIsUp = false;
    const both = `${processes()['SURETY_PROCESSES']},relay-1=${NOBODY_LISTENS}`;
    const { code, out } = await status([], { SURETY_PROCESSES: both });
    kafkaIsUp = true;
    expect(code).toBe(1);
    expect(out).toContain('workers-1 is unready: kafka (ECONNREFUSED)');
    expect(out).toMatch(/relay-1 +away/);
  });

  it('names the steps that no worker process runs, and ends with 1', async () => {
    for (const step of ['hold', 'credit', 'settle']) {
      metrics.workerStepOn.set({ step }, step === 'hold' ? 1 : 0);
    }
    const { code, out } = await status([], processes());
    metrics.workerStepOn.reset();
    expect(code).toBe(1);
    expect(out).toContain('no worker process that answers runs credit, settle');
  });

  it('ends with 1 where messages wait longer than they may', async () => {
    const { code, out } = await status([], { SURETY_STALL_TIMEOUT: '1ms' });
    expect(code).toBe(1);
    expect(out).toContain('is the relay running?');
  });

  it('shows the shards that answer where one is away', async () => {
    const urls = [shards.urls[0], 'mysql://nobody:secret@127.0.0.1:1/nowhere'];
    const { code, out } = await status([], { SURETY_SHARDS: urls.join(',') });
    expect(code).toBe(1);
    expect(out).toContain('shard 1 is away');
    expect(out).toMatch(/\n0 +up /);
    expect(out).not.toContain('secret');
  });

  it('looks again and again with --watch until it is stopped', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const terminal = {
      ask: async () => '',
      showLine: () => undefined,
    };
    const SURETY_SHARDS = shards.urls.join(',');
    const environment = { SURETY_SHARDS, HOLD_TIMEOUT: '1h', SURETY_STALL_TIMEOUT: '1h' };
    const { code } = await runInProcess(['status', '--watch', '500ms'], {
      ...{ environment, terminal, signal: stop.signal },
      printed: (text) => {
        seen.push(text);
        if (seen.length === 3) stop.abort();
      },
    });
    expect(code).toBe(0);
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(seen[1]).toContain('[Hstatus at ');
  });

  it('refuses an entry of SURETY_PROCESSES that it cannot understand', async () => {
    const { code, err } = await status([], { SURETY_PROCESSES: 'workers-1' });
    expect(code).toBe(2);
    expect(err).toContain('entry 1 is not name=http://host:port');
  });
});
