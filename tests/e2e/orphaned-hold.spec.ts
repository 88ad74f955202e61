import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { slotOfAccount } from '@surety/domain';
import { SuretySystem, eventually } from '@surety/testing/system';
import { withShards } from './shard-tables.js';

const ids = Array.from({ length: 40 }, (_, n) => `ORPHAN-${n}`);
const source = ids.find((id) => slotOfAccount(id) < 2048) as string;
const destination = ids.find((id) => slotOfAccount(id) >= 2048) as string;
const MONEY_TABLES = [
  'accounts',
  'transfers',
  'transfer_events',
  'open_transfers',
  'holds',
  'decisions',
  'ledger_entries',
  'idempotency_keys',
];

describe('a transfer whose credit never ran', () => {
  let system: SuretySystem;
  let id: string;

  beforeAll(async () => {
    system = await SuretySystem.start({
      processes: ['ingress', 'relay', 'projector'],
      environment: {
        HOLD_TIMEOUT: '3s',
        SURETY_RECONCILE_INTERVAL: '500ms',
        SURETY_STALL_TIMEOUT: '30s',
      },
    });
    const { client } = system;
    for (const account of [source, destination]) await client.openAccount(account);
    await client.deposit(source, '100.00', 'open-source');
    // Holds only: this worker never credits and never settles.
    await system.startProcess('workers', { SURETY_WORKER_STEPS: 'hold' });
    const wish = { sourceAccount: source, destinationAccount: destination, amount: '40.00' };
    id = (await client.submit({ ...wish, currency: 'EUR' }, 'orphan')).body.transactionId;
    await eventually(
      'the hold',
      async () => ((await client.transfer(id)).body.status === 'held' ? true : undefined),
      { withinMs: 30_000 },
    );
    await system.process('workers').stop();
  });

  afterAll(async () => {
    await system.stop();
  });

  it('keeps its money held while nobody reconciles, however old the hold is', async () => {
    await withShards(system.shardUrls, async ([shard]) => {
      await eventually(
        'the expiry of the hold',
        async () => {
          const sql = 'SELECT COUNT(*) AS n FROM holds WHERE expires_at < NOW(6)';
          return Number((await shard?.rows(sql))?.[0]?.['n']) === 1 ? true : undefined;
        },
        { withinMs: 30_000 },
      );
    });
    expect((await system.client.balance(source)).body).toMatchObject({
      held: '40.00',
      available: '60.00',
    });
  });

  it('is cancelled by the reconciler and its hold released, without any worker', async () => {
    await system.startProcess('reconciler');
    const { client } = system;
    const end = await eventually(
      'the cancellation',
      async () => {
        const { body } = await client.transfer(id);
        return body.status === 'cancelled' ? body : undefined;
      },
      { withinMs: 60_000 },
    );
    expect(end).toMatchObject({ status: 'cancelled', reason: 'hold_expired' });
    expect(end.timeline.map((entry) => entry.event)).toEqual([
      'requested',
      'held',
      'voided',
      'cancelled',
    ]);
    expect((await client.balance(source)).body).toMatchObject({
      balance: '100.00',
      held: '0.00',
      available: '100.00',
    });
  });

  it('does not change any more when the workers come back', async () => {
    await eventually('an empty outbox', () => system.drained(30_000).then(() => true), {
      withinMs: 40_000,
    });
    await withShards(system.shardUrls, async (shards) => {
      const before = await Promise.all(shards.map((shard) => shard.dump(MONEY_TABLES)));
      await system.startProcess('workers');
      // A later transfer passes through the same partitions: what lay there before it was handled.
      const wish = { sourceAccount: source, destinationAccount: destination, amount: '1.00' };
      const later = await system.client.submit({ ...wish, currency: 'EUR' }, 'later');
      const end = await system.client.transfer(later.body.transactionId, '30s');
      expect(end.body.status).toBe('committed');
      const after = await Promise.all(shards.map((shard) => shard.dump(MONEY_TABLES)));
      const mine = (dump: string): string[] =>
        dump.split('\n').filter((line) => line.includes(id) || line.includes(bytesOf(id)));
      expect(after.map(mine)).toEqual(before.map(mine));
    });
    expect((await system.client.transfer(id)).body.status).toBe('cancelled');
    expect((await system.client.balance(destination)).body.balance).toBe('1.00');
    expect((await system.surety('check', '--full')).exitCode).toBe(0);
  });
});

/** How a BINARY(16) id looks in a dump. */
function bytesOf(uuid: string): string {
  return JSON.stringify([...Buffer.from(uuid.replaceAll('-', ''), 'hex')]).slice(1, -1);
}
