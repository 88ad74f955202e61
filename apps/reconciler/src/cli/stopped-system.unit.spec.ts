import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runInProcess } from './spec-support.js';

const GONE = spawnSync(process.execPath, ['--version']).pid;

describe('surety where no system runs', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'surety-stopped-'));
    mkdirSync(join(root, '.surety', 'test'), { recursive: true });
    mkdirSync(join(root, 'packages'));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const left = (name: string, content: unknown): void =>
    writeFileSync(join(root, '.surety', name), JSON.stringify(content));

  async function answer(environment: NodeJS.ProcessEnv = {}): Promise<string> {
    const directory = join(root, 'packages');
    const { code, err } = await runInProcess(['check'], { environment, directory });
    expect(code).toBe(2);
    return err;
  }

  it('knows of none where only tests ran', async () => {
    expect(await answer()).toContain('no system is known here');
  });

  it('says that the system is stopped, and how to start it', async () => {
    left('shards.json', { shards: 2 });
    expect(await answer()).toBe(
      `surety: the system in ${root} is stopped: start it there with \`npm start\`, or set ` +
        'SURETY_SHARDS to look at another one\n',
    );
  });

  it('knows one on servers of somebody else by its logs', async () => {
    mkdirSync(join(root, '.surety', 'logs'));
    expect(await answer()).toContain('is stopped');
  });

  it('says that it is starting or ending where its launcher lives', async () => {
    left('launcher.json', { pid: process.pid, startTime: '1' });
    expect(await answer()).toBe(
      `surety: the system in ${root} is starting or ending (npm start, pid ${process.pid})\n`,
    );
  });

  it('takes a launcher that is gone for stopped', async () => {
    left('launcher.json', { pid: GONE, startTime: '1' });
    expect(await answer()).toContain('is stopped');
  });

  it.each([
    ['says so where its launcher was killed', GONE, true],
    ['says no more than that no shard answers where it lives', process.pid, false],
  ])('%s', async (_case, launcherPid, saysSo) => {
    const shardUrls = ['mysql://nobody:secret@127.0.0.1:1/nowhere'];
    left('system.json', { shardUrls, kafkaBrokers: ['k:1'], redisUrl: 'redis://r:1', launcherPid });
    const err = await answer();
    expect(err).toContain('no shard answers');
    expect(err.includes('`npm start` that kept it up is gone')).toBe(saysSo);
    expect(await answer({ SURETY_SHARDS: shardUrls[0] })).not.toContain('npm start');
  });
});
