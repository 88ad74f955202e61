import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KNOWN_NAMES } from '@surety/runtime';
import { knownNames, refuseWrongSettings } from './settings-check.mjs';

const root = join(import.meta.dirname, '..', '..');
const URLS = {
  SURETY_SHARDS: 'mysql://u:secret@h:1/a,mysql://u:secret@h:1/b',
  SURETY_KAFKA_BROKERS: 'h:2',
  SURETY_REDIS_URL: 'redis://h:3',
};

it('knows the names that the processes know, before anything is installed or built', () => {
  expect([...knownNames(root)]).toEqual(KNOWN_NAMES);
});

describe('what is wrong before anything starts', () => {
  let folder;
  let shardsFile;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'surety-settings-'));
    shardsFile = join(folder, 'shards.json');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const refuse = (options, env = {}) => refuseWrongSettings({ root, shardsFile, ...options }, env);
  const itHas = (shards) => writeFileSync(shardsFile, JSON.stringify({ shards }));

  it('names every setting that nobody knows, without its value', () => {
    const env = { SURETY_TYPO: 'secret', SURETY_SHARD: 'x', HOLD_TIMEOUTS: '1m' };
    expect(() => refuse({}, env)).toThrow(
      /^SURETY_SHARD: is not a known setting\nSURETY_TYPO: is not a known setting$/,
    );
  });

  it('takes what the processes, the launcher and the tests know', () => {
    const env = { SURETY_LOG_LEVEL: 'debug', SURETY_CACHE_DIR: '/x', SURETY_TEST_ANYTHING: '1' };
    expect(() => refuse({}, env)).not.toThrow();
  });

  it('refuses another number of shards than the system on disk has', () => {
    itHas(2);
    expect(() => refuse({ shards: 3 })).toThrow('this system has 2 shards and --shards says 3');
  });

  it.each([
    ['a new system', undefined, { shards: 3 }, {}],
    ['the number that it has', 3, { shards: 3 }, {}],
    ['no wish', 3, {}, {}],
    ['a system that is dropped first', 2, { shards: 3, fresh: true }, {}],
    ['as many as the servers named', 3, { shards: 2 }, URLS],
  ])('takes %s', (_case, known, options, env) => {
    if (known !== undefined) itHas(known);
    expect(() => refuse(options, env)).not.toThrow();
  });

  it('refuses another number of shards than the servers named, also for a fresh start', () => {
    expect(() => refuse({ shards: 3, fresh: true }, URLS)).toThrow(
      '--shards 3, but SURETY_SHARDS names 2',
    );
  });

  it('refuses servers of which some are not named', () => {
    expect(() => refuse({}, { ...URLS, SURETY_REDIS_URL: '' })).toThrow('SURETY_REDIS_URL not set');
  });
});
