import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const START = join(import.meta.dirname, 'start.mjs');

describe('npm start', () => {
  it.each([
    [['--bogus'], {}, "Unknown option '--bogus'"],
    [['--shards', '0'], {}, '--shards must be a whole number from 1 to 64'],
    [[], { PORT: 'http' }, 'PORT must be a whole number'],
  ])('ends %j with %j in exit code 2', (args, env, text) => {
    const { status, stdout } = spawnSync(process.execPath, [START, ...args], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    expect(stdout).toContain(text);
    expect(stdout).toMatch(/\n\(npm start -- --help\)\n$/);
    expect(status).toBe(2);
  });
});
