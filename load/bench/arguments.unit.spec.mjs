import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { planOf, readBenchArguments } from './arguments.mjs';
import { scenariosOf } from './scenarios.mjs';

const plan = (args, env = {}) => planOf(args, env);

describe('the arguments', () => {
  test('have defaults and name what is wrong', () => {
    expect(readBenchArguments([])).toMatchObject({ engine: 'mariadb', shards: 2, scenarios: [] });
    expect(() => readBenchArguments(['--shards', '0'])).toThrow('--shards');
    expect(() => readBenchArguments(['--nonsense'])).toThrow('--nonsense');
    expect(() => scenariosOf(['none'])).toThrow('there are uniform');
  });

  test.each([
    [['--secnds', '3'], /^Unknown option '--secnds'$/],
    [['--seconds', '0'], /^--seconds takes a whole number from 1, not 0$/],
    [['--seconds', '-1'], /^--seconds takes a whole number from 1, not -1$/],
    [['--seconds', '3', '--seconds', '-1'], /^--seconds takes a whole number from 1, not -1$/],
    [['--seconds=-1'], /^--seconds takes a whole number from 1, not -1$/],
    [['--warm-up', ''], /^--warm-up takes a whole number from 0, not $/],
    [['--shards', '65'], /^--shards takes a whole number from 1 to 64, not 65$/],
    [['--out', '--mysql'], /^--out takes a value; .* is written --out=--mysql$/],
    [
      ['--out', '/no/such/folder/x.json'],
      /^--out .*x\.json: there is no folder \/no\/such\/folder$/,
    ],
    [['--out', '/proc/nope/x.json'], /^--out .*x\.json: there is no folder \/proc\/nope$/],
    [['--out', `${import.meta.filename}/x.json`], /: there is no folder \S+\.mjs$/],
    [['--out', import.meta.dirname], /^--out \S+: it is a folder$/],
    [['--scenario', 'none'], /^there is no scenario none; .*grown$/],
    [['uniform'], /^Unexpected argument 'uniform'/],
    [['--compare', 'no-such-file'], /^--compare no-such-file: there is no such file$/],
  ])('%j are refused in one line', (args, line) => {
    expect(() => plan(args)).toThrow(line);
  });

  test('take every number of shards up to the bound', () => {
    expect(readBenchArguments(['--shards', '64'])).toMatchObject({ shards: 64 });
  });

  test('stand beside settings, of which unknown ones are refused, a line each', () => {
    const env = { SURETY_TYPO: 'secret', SURETY_SHARD: 'x', SURETY_CHECK_INTERVAL: '1h' };
    expect(() => plan([], env)).toThrow(
      /^SURETY_SHARD: is not a known setting\nSURETY_TYPO: is not a known setting$/,
    );
    expect(() => plan([], { SURETY_CHECK_INTERVAL: '1h' })).not.toThrow();
    expect(plan(['--help'], env).options.help).toBe(true);
  });

  test('cannot be used with servers that are named: the benchmark starts its own', () => {
    const env = {
      ...{ SURETY_SHARDS: 'mysql://u:secret@h:1/a', SURETY_KAFKA_BROKERS: 'h:2' },
      SURETY_REDIS_URL: 'redis://h:3',
    };
    expect(() => plan([], env)).toThrow(/^SURETY_SHARDS: the benchmark starts servers of its own/);
  });

  test('name scenarios with what was changed about them', () => {
    const { scenarios } = plan(['--scenario', 'batch', '--seconds', '3', '--callers', '8']);
    expect(scenarios).toEqual([expect.objectContaining({ batch: 500, seconds: 3, callers: 4 })]);
  });
});

describe('the file of a result', () => {
  const directory = mkdtempSync(join(tmpdir(), 'surety-bench-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  test('is not there before the result is', () => {
    const file = join(directory, 'new.json');
    expect(plan(['--out', file]).options.out).toBe(file);
    expect(existsSync(file)).toBe(false);
  });

  test('keeps what is in it until then', () => {
    const file = join(directory, 'old.json');
    writeFileSync(file, 'old');
    plan(['--out', file]);
    expect(readFileSync(file, 'utf8')).toBe('old');
  });
});

describe('an earlier result', () => {
  const directory = mkdtempSync(join(tmpdir(), 'surety-bench-'));
  const file = join(directory, 'earlier.json');

  afterEach(() => rmSync(file));
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each([
    ['', /it is not JSON$/],
    ['null', /it is no result of npm run bench/],
    ['{}', /it is no result of npm run bench/],
    ['{"scenarios":[]}', /it is no result of npm run bench/],
    ['{"scenarios":[{"name":"uniform"}]}', /it is no result of npm run bench/],
  ])('that reads %j is refused before anything starts', (text, line) => {
    writeFileSync(file, text);
    expect(() => plan(['--compare', file])).toThrow(line);
  });

  test('that has none of the scenarios to be run is refused before anything starts', () => {
    const row = { committedPerSecond: 50, cpuMsPerTransfer: 1, committedMs: { p50: 1 } };
    const scenarios = ['zipf', 'grown'].map((name) => ({ name, ...row }));
    writeFileSync(file, JSON.stringify({ scenarios }));
    const compare = ['--compare', file, '--scenario'];
    const line = `--compare ${file}: nothing to compare: it has zipf, grown alone`;
    expect(() => plan([...compare, 'uniform'])).toThrow(line);
    expect(plan([...compare, 'uniform', '--scenario', 'grown']).earlier.scenarios).toHaveLength(2);
  });

  test('is taken as it was written', () => {
    const row = { committedPerSecond: 50, cpuMsPerTransfer: 1, committedMs: { p50: 1 } };
    const earlier = { scenarios: [{ name: 'uniform', ...row }] };
    writeFileSync(file, JSON.stringify(earlier));
    expect(plan(['--compare', file]).earlier).toEqual(earlier);
  });
});
