import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isUpToDate } from './launch/install-and-build.mjs';

const START = join(import.meta.dirname, 'start.mjs');
/** Otherwise it would build first, and start servers meanwhile. */
const itOnceBuilt = isUpToDate(join(import.meta.dirname, '..')) ? it : it.skip;

function start(args, env) {
  const options = { env: { ...process.env, ...env }, encoding: 'utf8' };
  return spawnSync(process.execPath, [START, ...args], options);
}

describe('npm start', () => {
  it.each([
    [['--bogus'], {}, "Unknown option '--bogus'"],
    [['--shards', '0'], {}, '--shards must be a whole number from 1 to 64'],
    [[], { PORT: 'http' }, 'PORT must be a whole number'],
  ])('ends %j with %j in exit code 2', (args, env, text) => {
    const { status, stdout } = start(args, env);
    expect(stdout).toContain(text);
    expect(stdout).toMatch(/\n\(npm start -- --help\)\n$/);
    expect(status).toBe(2);
  });

  itOnceBuilt('lists what is wrong in settings of any process, before anything starts', () => {
    const { status, stdout } = start([], { SURETY_CHECK_INTERVAL: 'abc', HOLD_TIMEOUT: 'soon' });
    const mistake = 'is not a duration such as 250ms, 30s, 5m or 1h, 480h at most';
    const lines = [`  - HOLD_TIMEOUT: ${mistake}`, `  - SURETY_CHECK_INTERVAL: ${mistake}`];
    expect(stdout).toBe(['', 'settings are wrong:', ...lines, ''].join('\n'));
    expect(status).toBe(78);
  });
});
