import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { slotOfAccount } from '@surety/domain';
import { SuretySystem, eventually, inParallel } from '@surety/testing/system';

const ids = Array.from({ length: 60 }, (_, n) => `OUT-${n}`);
const onShard0 = ids.filter((id) => slotOfAccount(id) < 2048).slice(0, 5);
const onShard1 = ids.filter((id) => slotOfAccount(id) >= 2048).slice(0, 5);

describe("with one shard's database stopped", () => {
  let system: SuretySystem;
  const waiting: string[] = [];

  beforeAll(async () => {
    system = await SuretySystem.start({
      servers: 'separate',
      environment: { SURETY_STALL_TIMEOUT: '3s', SURETY_RECONCILE_INTERVAL: '1s' },
    });
    const { client } = system;
    await inParallel([...onShard0, ...onShard1], 8, async (id) => {
      await client.openAccount(id);
      await client.deposit(id, '1000.00', `open-${id}`);
    });
    await system.drained(60_000);
    await system.control.kill('shard1');
  });

  afterAll(async () => {
    await system.stop();
  });

  function wish(source: string, destination: string) {
    return {
      sourceAccount: source,
      destinationAccount: destination,
      amount: '1.00',
      currency: 'EUR',
    };
  }

  it('transfers between accounts of the other shard still commit', async () => {
    const { client } = system;
    const pairs = onShard0.map((source, n) => [source, onShard0[(n + 1) % 5] as string] as const);
    const many = Array.from({ length: 10 }, () => pairs).flat();
    const ends = await inParallel(many, 8, async ([source, destination], n) => {
      const { body } = await client.submit(wish(source, destination), `up-${n}`);
      return eventually(
        `the end of ${body.transactionId}`,
        async () => {
          const end = await client.transfer(body.transactionId, '5s');
          return end.body.status === 'committed' ? end.body.status : undefined;
        },
        { withinMs: 60_000 },
      );
    });
    expect(new Set(ends)).toEqual(new Set(['committed']));
  });

  it('transfers from the stopped shard get 503 with Retry-After', async () => {
    const { client } = system;
    const answers = await inParallel(onShard1, 5, (source, n) =>
      client.submit(wish(source, onShard0[0] as string), `down-${n}`),
    );
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  it('transfers to the stopped shard are accepted and wait', async () => {
    const { client } = system;
    for (const [n, source] of onShard0.entries()) {
      const answer = await client.submit(wish(source, onShard1[n] as string), `wait-${n}`);
      expect(answer.status).toBe(202);
      waiting.push(answer.body.transactionId);
    }
    for (const id of waiting) {
      const { body } = await client.transfer(id);
      expect(['requested', 'held']).toContain(body.status);
    }
  });

  it('all end after it is back, and nothing is lost or doubled', async () => {
    await system.control.restart('shard1');
    const { client } = system;
    await system.drained(90_000);
    for (const id of waiting) {
      const { body } = await client.transfer(id, '10s');
      expect([id, body.status]).toEqual([id, 'committed']);
    }
    const retried = await eventually(
      'the once refused shard taking transfers again',
      async () => {
        const answer = await client.submit(
          wish(onShard1[0] as string, onShard0[0] as string),
          'down-0',
        );
        return answer.status === 202 ? answer : undefined;
      },
      { withinMs: 60_000, everyMs: 500 },
    );
    expect((await client.transfer(retried.body.transactionId, '20s')).body.status).toBe(
      'committed',
    );
    await system.drained(60_000);
    const { exitCode, stdout } = await system.surety('check', '--full');
    expect({ exitCode, output: exitCode === 0 ? '' : stdout }).toEqual({ exitCode: 0, output: '' });
  });
});
