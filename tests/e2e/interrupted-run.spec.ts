import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@surety/testing/system';

const ROOT = join(__dirname, '..', '..');
const CONTROL = join(ROOT, 'packages', 'testing', 'dist', 'system', 'service-control.js');

/** What a spec does with servers, in a process of its own: it says the server's pid and never ends. */
const RUN = `
  const [root, directory] = process.argv.slice(1);
  const { ServiceControl } = await import(${JSON.stringify(pathToFileURL(CONTROL).href)});
  const { pid } = await new ServiceControl(root, directory).start('redis', 'redis');
  console.log(pid);
`;

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a test run that is broken off', () => {
  let directory: string;
  let server: number | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'surety-interrupted-'));
  });

  afterEach(() => {
    if (server !== undefined && isThere(server)) process.kill(server, 'SIGKILL');
    server = undefined;
    rmSync(directory, { recursive: true, force: true });
  });

  // As `npm test` ends its stages: first politely, then for good, everything in one group.
  test.each(['SIGTERM', 'SIGKILL'] as const)('leaves no server behind: %s', async (signal) => {
    const run = spawn(process.execPath, ['--input-type=module', '--eval', RUN, ROOT, directory], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(run.stdout, 'data')) as [Buffer];
    const pid = Number(said.toString());
    server = pid;
    expect(isThere(pid)).toBe(true);
    process.kill(-(run.pid as number), signal);
    const isGone = (): Promise<true | undefined> =>
      Promise.resolve(isThere(pid) ? undefined : true);
    await eventually('the end of the server', isGone, { withinMs: 30_000 });
  });
});
