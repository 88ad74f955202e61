import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { SuretySystem } from '@surety/testing/system';

const run = promisify(execFile);

/** The block of the README that a reader pastes: the one with the curl lines. */
function curlBlock(): string {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)];
  const block = blocks.map((match) => match[1] as string).find((text) => text.includes('curl'));
  if (block === undefined) throw new Error('the README has no curl lines');
  return block;
}

describe('what the README prints', () => {
  let system: SuretySystem;

  beforeAll(async () => {
    system = await SuretySystem.start();
    const { client } = system;
    for (const id of ['ACC001', 'ACC100']) {
      await client.openAccount(id);
      await client.deposit(id, '1000.00', `open-${id}`);
    }
  });

  afterAll(async () => {
    await system.stop();
  });

  it('works line by line: open, fund, transfer, follow to the end, read the balance', async () => {
    const script = curlBlock().replaceAll('http://localhost:8080', system.httpUrl);
    expect(script.match(/curl/g)).toHaveLength(5);
    const { stdout } = await run('bash', [
      '-euo',
      'pipefail',
      '-c',
      script.replaceAll('\ncurl', '\necho; curl'),
    ]);
    const [account, funding, transfer, balance] = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(account).toMatchObject({ accountId: 'alice', status: 'open', currency: 'EUR' });
    expect(funding).toMatchObject({ status: 'committed', kind: 'funding', balance: '100.00' });
    expect(transfer).toMatchObject({ status: 'committed', amount: '12.34' });
    expect(balance).toMatchObject({ accountId: 'ACC100', balance: '1012.34', currency: 'EUR' });
  });

  it('answers under the names that earlier clients use', async () => {
    const payments = `${system.httpUrl}/api/v1/payments`;
    const submitted = await fetch(`${payments}/transfer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-idempotency-key': 'payments-1' },
      body: JSON.stringify({
        sourceAccount: 'ACC100',
        destinationAccount: 'ACC001',
        amount: '2.34',
        currency: 'EUR',
      }),
    });
    const { transactionId } = (await submitted.json()) as { transactionId: string };
    expect(submitted.status).toBe(202);
    await system.client.transfer(transactionId, '20s');
    const status = await fetch(`${payments}/transactions/${transactionId}/status`);
    expect(await status.json()).toMatchObject({ transactionId, status: 'committed' });
    const balance = await fetch(`${payments}/accounts/ACC100/balance`);
    expect(await balance.json()).toMatchObject({ balance: '1010.00' });
  });

  it('reports health, readiness and metrics of every process', async () => {
    const pages = ['/health', '/livez', '/readyz', '/metrics'];
    const statuses = await Promise.all(
      pages.map(async (page) => (await fetch(`${system.httpUrl}${page}`)).status),
    );
    expect(statuses).toEqual([200, 200, 200, 200]);
    for (const name of ['relay', 'workers', 'projector', 'reconciler'] as const) {
      const answer = await fetch(`${system.process(name).adminUrl}/readyz`);
      expect([name, answer.status]).toEqual([name, 200]);
    }
  });
});
