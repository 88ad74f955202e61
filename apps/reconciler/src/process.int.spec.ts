import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import { findTransfer, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import { applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import {
  aDeposit,
  aTransferRequest,
  anAccountIdOn,
  anOpening,
  eur,
  eventually,
} from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { start } from './process.js';
import type { RunningReconciler } from './process.js';

const DEADLINE_MS = 30_000;
const NOBODY_LISTENS = '127.0.0.1:1';

let shards: TestShards;
let source: Shard;
let n = 0;
const running: RunningReconciler[] = [];

async function startReconciler(environment: NodeJS.ProcessEnv = {}): Promise<RunningReconciler> {
  const reconciler = await start({
    SURETY_SHARDS: shards.urls.join(','),
    SURETY_KAFKA_BROKERS: NOBODY_LISTENS,
    SURETY_REDIS_URL: `redis://${NOBODY_LISTENS}`,
    SURETY_LOG_LEVEL: 'error',
    SURETY_RECONCILE_INTERVAL: '20ms',
    SURETY_CHECK_INTERVAL: '100ms',
    HOLD_TIMEOUT: '1h',
    ...environment,
  });
  running.push(reconciler);
  return reconciler;
}

function accountOn(shard: number, prefix: string): string {
  return anAccountIdOn(shards.pools.slotMaps.current(), shard, prefix);
}

/** A transfer whose hold has expired already; nothing was credited. */
async function orphanedHold(destinationShard: number): Promise<TransferId> {
  n += 1;
  const payer = accountOn(0, `payer-${n}`);
  const payee = accountOn(destinationShard, `payee-${n}`);
  await openAccounts(source.store, [anOpening(payer)]);
  await fundAccounts(source.store, [aDeposit(payer, eur(100_00), n)]);
  const request = aTransferRequest({ n, source: payer, destination: payee, amount: eur(10_00) });
  await requestTransfers(source.store, [request]);
  const [row] = await readTimeline(source, request.transferId);
  const requested = readEnvelope(row!.envelope);
  await applySteps(source.store, [requested], { holdTimeoutMs: 1, actor: 'saga' });
  return request.transferId;
}

function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  return eventually(what, look, { withinMs: DEADLINE_MS, everyMs: 20 });
}

async function untilState(id: TransferId, state: string): Promise<void> {
  await until(`${id} is ${state}`, async () =>
    (await findTransfer(source, id))?.state === state ? true : undefined,
  );
}

async function leases(): Promise<readonly unknown[][]> {
  const [result] = await source.send([
    'SELECT holder, expires_at > NOW(6) FROM leases WHERE name = ' + "'reconciler'",
  ]);
  return (result?.rows ?? []).map((row) => [...row]);
}

async function get(reconciler: RunningReconciler, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${reconciler.adminPort}${path}`);
  return response.text();
}

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  source = shards.pools.shards[0]!;
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((reconciler) => reconciler.stop()));
});

afterAll(async () => {
  await shards?.drop();
});

describe('the reconciler', () => {
  it('cancels an orphaned hold by itself and tells what it did', async () => {
    const id = await orphanedHold(1);
    const reconciler = await startReconciler();
    await untilState(id, 'cancelled');
    const metrics = await until('findings are told', async () => {
      const text = await get(reconciler, '/metrics');
      return text.includes('surety_reconciliation_findings_rows{check="conservation",form="full"')
        ? text
        : undefined;
    });
    expect(metrics).toMatch(/surety_reconciliation_repairs_total\{kind="void",.*\} 1\n/);
    expect(metrics).toMatch(/surety_reconciliation_repairs_total\{kind="release",.*\} 1\n/);
    expect(metrics).toMatch(/surety_reconciliation_findings_rows\{check="balances",.*\} 0\n/);
  });

  it('does not start where money is stored with other decimals than it is told', async () => {
    const code = "DELETE FROM currencies WHERE code IN ('GOLD', 'SILVER')";
    await source.send(["INSERT INTO currencies VALUES ('GOLD', 6)"]);
    await shards.pools.shards[1]!.send([
      "INSERT INTO currencies VALUES ('GOLD', 6), ('SILVER', 3)",
    ]);
    try {
      await expect(startReconciler({ SURETY_CURRENCIES: 'GOLD:2' })).rejects.toMatchObject({
        name: 'ConfigurationError',
        mistakes: [
          expect.stringContaining('GOLD with 6 decimals (shards 0, 1), it has 2 now'),
          expect.stringContaining(
            'SILVER with 3 decimals (shard 1), it is not configured any more',
          ),
        ],
      });
      await startReconciler({ SURETY_CURRENCIES: 'GOLD:6,SILVER:3,POINTS:0' });
    } finally {
      for (const shard of shards.pools.shards) await shard.send([code]);
    }
  });

  it('is ready while the databases are there, whatever Kafka and Redis do', async () => {
    const reconciler = await startReconciler();
    const answer = JSON.parse(await get(reconciler, '/readyz')) as unknown;
    expect(answer).toMatchObject({
      status: 'ready',
      checks: { database: { ok: true }, kafka: { ok: false }, redis: { ok: false } },
    });
  });

  it('leads alone, and gives its lease back when it stops', async () => {
    const first = await startReconciler({ SURETY_INSTANCE: 'first' });
    await until('first leads', async () =>
      (await leases()).some(([holder, isHeld]) => holder === 'first' && Number(isHeld) === 1)
        ? true
        : undefined,
    );
    await startReconciler({ SURETY_INSTANCE: 'second' });
    const id = await orphanedHold(0);
    await untilState(id, 'cancelled');
    expect((await leases()).map(([holder]) => holder)).toEqual(['first']);
    await first.stop();
    await first.done;
    await until('second leads', async () =>
      (await leases()).some(([holder, isHeld]) => holder === 'second' && Number(isHeld) === 1)
        ? true
        : undefined,
    );
    const next = await orphanedHold(0);
    await untilState(next, 'cancelled');
  });

  it('goes on with its shard while another one is away, and keeps holds that need that one', async () => {
    const away = new URL(shards.urls[1]!);
    away.host = NOBODY_LISTENS;
    const elsewhere = await orphanedHold(1);
    const here = await orphanedHold(0);
    const reconciler = await startReconciler({ SURETY_SHARDS: `${shards.urls[0]},${away.href}` });
    await untilState(here, 'cancelled');
    expect(await findTransfer(source, elsewhere)).toMatchObject({ state: 'held' });
    const answer = await fetch(`http://127.0.0.1:${reconciler.adminPort}/readyz`);
    expect(answer.status).toBe(503);
    await reconciler.stop();
    await startReconciler();
    await untilState(elsewhere, 'cancelled');
  });

  it('seals the ledger by itself, and tells of an entry that is not what was sealed', async () => {
    await orphanedHold(0);
    const reconciler = await startReconciler({ SURETY_SEAL_INTERVAL: '50ms' });
    const metrics = (): Promise<string> => get(reconciler, '/metrics');
    await until('every entry is sealed', async () => {
      const [sums] = await source.send([
        'SELECT SUM(entry_seq), (SELECT SUM(entries) FROM ledger_seals) FROM accounts',
      ]);
      const [posted, sealed] = sums?.rows[0] ?? [];
      return posted === sealed ? true : undefined;
    });
    await until('the sealing is told', async () =>
      /surety_sealed_until_seconds\{shard="0",.*\} [1-9]/.test(await metrics()) ? true : undefined,
    );
    expect(await metrics()).toMatch(/surety_unsealed_rows\{shard="0",.*\} 0\n/);
    const change = (sign: string): string =>
      `UPDATE ledger_entries SET amount = amount ${sign} 1 WHERE entry_seq = 1 LIMIT 1`;
    await source.send([change('+')]);
    await until('the finding is told', async () =>
      /surety_verification_findings_rows\{shard="0",.*\} [1-9]/.test(await metrics())
        ? true
        : undefined,
    );
    await source.send([change('-')]);
    await until('the finding is over', async () =>
      /surety_verification_findings_rows\{shard="0",.*\} 0\n/.test(await metrics())
        ? true
        : undefined,
    );
  });
});
