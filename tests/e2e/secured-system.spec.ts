import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { slotOfAccount } from '@surety/domain';
import { PROCESS_NAMES, SuretySystem, eventually, inParallel } from '@surety/testing/system';
import type { CommandResult, ProcessName, SuretyProcess } from '@surety/testing/system';
import { startSecuredServers } from './secured-servers.js';
import type { SecuredServers } from './secured-servers.js';

const TRANSFERS = 300;
const CONCURRENCY = 32;
const WRONG = 'not-the-password';
const ids = Array.from({ length: 60 }, (_, n) => `SEC-${n}`);
const onShard0 = ids.filter((id) => slotOfAccount(id) < 2048).slice(0, 8);
const onShard1 = ids.filter((id) => slotOfAccount(id) >= 2048).slice(0, 8);
/** Without Kafka these do their work all the same: requests and repairs are rows. */
const NEED_NO_KAFKA: readonly ProcessName[] = ['ingress', 'reconciler'];
const REFUSED_BY_KAFKA =
  /SASL SCRAM-SHA-512: the broker refuses username or password \(Kafka error 58\)/;
const REFUSED_BY_REDIS = /WRONGPASS/;
const REFUSED_BY_SHARD = /Access denied for user 'surety_relay'/;

interface Readiness {
  readonly status: string;
  readonly checks: { readonly kafka: { readonly ok: boolean; readonly error?: string } };
}

/** Whom the n-th transfer is between: every second one is over two shards. */
function partiesOf(n: number): { sourceAccount: string; destinationAccount: string } {
  const [here, there] = n % 4 < 2 ? [onShard0, onShard1] : [onShard1, onShard0];
  const from = n % here.length;
  const to = n % 2 === 0 ? there[from] : here[(from + 1) % here.length];
  return { sourceAccount: here[from] as string, destinationAccount: to as string };
}

describe('a system whose servers let in only who is known', () => {
  let system: SuretySystem;
  let secured: SecuredServers;
  /** What commands printed and what processes answered about themselves. */
  const said: string[] = [];

  beforeAll(async () => {
    system = await SuretySystem.start({
      backing: async (place) => {
        secured = await startSecuredServers(place);
        return secured.backing;
      },
      environment: { SURETY_LOG_LEVEL: 'debug' },
    });
  });

  afterAll(async () => {
    await system?.stop();
  });

  async function surety(...args: string[]): Promise<CommandResult> {
    const result = await system.surety(...args);
    said.push(result.stdout, result.stderr);
    return result;
  }

  async function pageOf(process: SuretyProcess, path: string): Promise<string> {
    const answer = await fetch(`${process.adminUrl}${path}`);
    const text = await answer.text();
    said.push(text);
    return text;
  }

  function logOf(instance: string): string {
    const file = join(system.directory, `${instance}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  it('opens accounts, and ends every transfer on one shard and over two', async () => {
    const { client } = system;
    await inParallel([...onShard0, ...onShard1], 8, async (id) => {
      const opened = await client.openAccount(id);
      const funded = await client.deposit(id, '1000.00', `open-${id}`);
      expect([opened.status, funded.status]).toEqual([201, 201]);
    });
    const numbers = Array.from({ length: TRANSFERS }, (_, n) => n);
    const ends = await inParallel(numbers, CONCURRENCY, async (n) => {
      const wish = { ...partiesOf(n), amount: '1.00', currency: 'EUR' };
      const { status, body } = await client.submit(wish, `secured-${n}`);
      expect(status).toBe(202);
      return (await client.transfer(body.transactionId, '30s')).body.status;
    });
    expect(ends).toEqual(Array<string>(TRANSFERS).fill('committed'));
    await system.drained(30_000);
  });

  it('is sound, and every process is ready, as its operator sees', async () => {
    const processes = PROCESS_NAMES.map((name) => `${name}=${system.process(name).adminUrl}`);
    const status = await system.suretyWith({ SURETY_PROCESSES: processes.join(',') }, 'status');
    said.push(status.stdout, status.stderr);
    expect([status.exitCode, status.exitCode === 0 ? '' : status]).toEqual([0, '']);
    const because = ['--reason', 'to see whether it may', '--yes'];
    for (const verb of ['freeze', 'unfreeze']) {
      const change = await surety('accounts', verb, onShard1[0] as string, ...because);
      expect([change.exitCode, change.stderr]).toEqual([0, '']);
    }
    const check = await surety('check', '--full');
    expect([check.exitCode, check.exitCode === 0 ? '' : check]).toEqual([0, '']);
    for (const name of PROCESS_NAMES) {
      const checks = JSON.parse(await pageOf(system.process(name), '/readyz')) as object;
      expect(JSON.stringify(checks)).not.toContain('"ok":false');
      for (const path of ['/health', '/metrics']) await pageOf(system.process(name), path);
    }
  });

  it('whoever has a wrong password says so, and whose', async () => {
    const url = new URL(system.environment('relay')['SURETY_REDIS_URL'] as string);
    url.password = WRONG;
    const refused = await Promise.all(
      PROCESS_NAMES.map((name) =>
        system.launchAnother(name, {
          SURETY_INSTANCE: `${name}-refused`,
          SURETY_LOG_LEVEL: 'info',
          SURETY_KAFKA_PASSWORD: WRONG,
          SURETY_REDIS_URL: url.href,
        }),
      ),
    );
    await inParallel(refused, refused.length, async (process) => {
      for (const reason of [REFUSED_BY_KAFKA, REFUSED_BY_REDIS]) {
        const told = () => (reason.test(logOf(process.instance)) ? true : undefined);
        await eventually(`${process.instance} tells ${String(reason)}`, told, { withinMs: 30_000 });
      }
    });
    await inParallel(refused, refused.length, async (process) => {
      const status = NEED_NO_KAFKA.includes(process.name) ? 'ready' : 'unready';
      const isToldBy = async (): Promise<true | undefined> => {
        const answer = JSON.parse(await pageOf(process, '/readyz')) as Readiness;
        const isRight = answer.status === status && !answer.checks.kafka.ok;
        return isRight && answer.checks.kafka.error === 'AuthenticationError' ? true : undefined;
      };
      await eventually(`${process.instance} is ${status}, and why`, isToldBy, { withinMs: 30_000 });
    });
    await Promise.all(refused.map((process) => process.stop()));
    const shards = system.environment('relay')['SURETY_SHARDS']?.split(',') ?? [];
    const urls = shards.map((shard) => Object.assign(new URL(shard), { password: WRONG }).href);
    const check = await system.suretyWith({ SURETY_SHARDS: urls.join(',') }, 'check');
    said.push(check.stdout, check.stderr);
    expect(check).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(REFUSED_BY_SHARD) });
  });

  it('a migration that is not let in says where and why, in a line', async () => {
    const { migrationUrls } = secured.backing.servers;
    const [first, second] = migrationUrls.map((url) => new URL(url)) as [URL, URL];
    second.password = WRONG;
    const urls = [first.href, second.href].join(',');
    const atShard = await secured.migrate({ SURETY_MIGRATION_SHARDS: urls });
    const shard = `shard 1 (${second.host}${second.pathname})`;
    const user = "Access denied for user 'surety_migrator'@";
    expect(atShard.stderr.trim().split('\n')).toEqual([expect.stringContaining(user)]);
    expect(atShard.stderr.slice(0, atShard.stderr.indexOf(user))).toBe(`migrate: ${shard}: `);
    const atKafka = await secured.migrate({ SURETY_KAFKA_PASSWORD: WRONG });
    expect(atKafka.stderr.trim().split('\n')).toEqual([expect.stringMatching(REFUSED_BY_KAFKA)]);
    const unreached = await secured.migrate({ SURETY_KAFKA_BROKERS: '127.0.0.1:1' });
    expect(unreached.stderr.trim()).toMatch(
      /^migrate: Kafka \(127\.0\.0\.1:1\): .*ECONNREFUSED.*$/,
    );
    expect([atShard, atKafka, unreached].map(({ exitCode }) => exitCode)).toEqual([1, 1, 1]);
  });

  it('prints no secret', () => {
    const files = readdirSync(system.directory).filter((name) => name.endsWith('.log'));
    expect(files).toHaveLength(2 * PROCESS_NAMES.length);
    const texts = [
      ...files.map((name) => readFileSync(join(system.directory, name), 'utf8')),
      ...secured.commands.flatMap(({ stdout, stderr }) => [stdout, stderr]),
      ...said,
    ];
    for (const secret of [...secured.secrets, WRONG]) {
      expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    }
  });
});
