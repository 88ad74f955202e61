import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@surety/testing';
import { ServiceControl, freePort } from '@surety/testing/system';
import { Kafka, logLevel } from 'kafkajs';
import { TcpProxy } from './tcp-proxy.js';

const PATIENCE = { withinMs: 60_000, everyMs: 200 };

describe('Kafka behind a proxy', () => {
  const root = process.cwd();
  let control: ServiceControl;
  let proxy: TcpProxy;
  let around: Kafka;
  let through: Kafka;

  beforeAll(async () => {
    mkdirSync(join(root, '.surety/test'), { recursive: true });
    control = new ServiceControl(root, mkdtempSync(join(root, '.surety/test', 'proxy-')));
    const port = await freePort();
    proxy = await TcpProxy.listen({ target: { host: '127.0.0.1', port } });
    const behindProxy = { port, advertisedPort: proxy.port };
    const { url } = await control.start('kafka', 'kafka', { behindProxy });
    const quiet = { logLevel: logLevel.NOTHING };
    around = new Kafka({ ...quiet, brokers: [url] });
    through = new Kafka({ ...quiet, brokers: [`127.0.0.1:${proxy.port}`] });
  });

  afterAll(async () => {
    await control.close();
    await proxy.close();
  });

  it('sends those who come through the proxy back to the proxy, and nobody else', async () => {
    const admin = around.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'notes', numPartitions: 1 }] });
    await admin.disconnect();
    expect(proxy.counters.accepted).toBe(0);

    const producer = through.producer({ retry: { retries: 0 } });
    await producer.connect();
    const bytes = (): number => proxy.counters.bytesToServer;
    const send = (value: string): Promise<unknown> =>
      producer.send({ topic: 'notes', messages: [{ value }] });
    await eventually('a leader', async () => (await send('first'), true), PATIENCE);
    const before = bytes();
    await send('x'.repeat(10_000));
    expect(bytes() - before).toBeGreaterThan(10_000);

    proxy.mode({ kind: 'cut' });
    proxy.mode({ kind: 'refuse' });
    await expect(send('refused')).rejects.toThrow();
    const left = proxy.counters.bytesToServer;
    proxy.mode({ kind: 'pass' });
    await eventually('coming back', async () => (await send('second'), true), PATIENCE);
    expect(bytes()).toBeGreaterThan(left);
    await producer.disconnect();
  });
});
