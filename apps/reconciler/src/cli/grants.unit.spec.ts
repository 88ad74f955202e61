import { describe, expect, it } from '@jest/globals';
import { runInProcess } from './spec-support.js';
import type { Ran } from './spec-support.js';

const SURETY_SHARDS = 'mysql://app:secret@one:3306/surety_0,mysql://app:secret@two:3306/surety_1';

function grants(...args: readonly string[]): Promise<Ran> {
  return runInProcess(['grants', ...args], { environment: { SURETY_SHARDS } });
}

describe('surety grants', () => {
  it('prints what a role needs on the schema of each shard, and no password', async () => {
    const { code, out } = await grants('relay', '--user', 'surety_relay', '--host', '10.0.%');
    expect(code).toBe(0);
    const to = "TO 'surety_relay'@'10.0.%';";
    expect(out.trimEnd().split('\n')).toEqual(
      ['surety_0', 'surety_1'].flatMap((schema) => [
        `GRANT SELECT, DELETE ON \`${schema}\`.\`outbox\` ${to}`,
        `GRANT SELECT ON \`${schema}\`.\`placement\` ${to}`,
        `GRANT SELECT, INSERT, UPDATE ON \`${schema}\`.\`leases\` ${to}`,
      ]),
    );
  });

  it('takes schemas by name, where no system is known', async () => {
    const args = ['grants', 'migrator', '--user', 'm', '--schema', 'a_1', 'b', '--json'];
    const { code, out } = await runInProcess(args, { environment: {} });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      role: 'migrator',
      host: '%',
      shards: [
        { schema: 'a_1', statements: [expect.stringContaining("ON `a\\_1`.* TO 'm'@'%'")] },
        { schema: 'b', statements: [expect.stringContaining('ON `b`.* TO')] },
      ],
    });
  });

  it.each([
    ['a role that is none', ['nobody', '--user', 'x'], 'Allowed choices are'],
    ['no user', ['relay'], '--user'],
    ['a user that would need quoting', ['relay', '--user', "x'y"], 'is no user'],
    ['a host that would need quoting', ['relay', '--user', 'x', '--host', "'"], 'is no host'],
    ['a schema that would need quoting', ['relay', '--user', 'x', '--schema', '`'], 'is no schema'],
  ])('refuses %s', async (_, args, words) => {
    const { code, out, err } = await grants(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(words);
  });

  it('says what to do where it knows no schema', async () => {
    const args = ['grants', 'relay', '--user', 'x'];
    const { code, err } = await runInProcess(args, { environment: {} });
    expect(code).toBe(2);
    expect(err).toContain('--schema');
  });
});
