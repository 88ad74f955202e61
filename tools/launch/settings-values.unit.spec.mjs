import { describe, expect, it } from '@jest/globals';
import * as db from '@surety/db';
import * as runtime from '@surety/runtime';
import { readConfig as ingress } from '../../apps/ingress/src/config.js';
import { readConfig as projector } from '../../apps/projector/src/config.js';
import { readConfig as reconciler } from '../../apps/reconciler/src/config.js';
import { readConfig as relay } from '../../apps/relay/src/config.js';
import { readConfig as workers } from '../../apps/workers/src/config.js';
import { APP_NAMES } from './app-environment.mjs';
import { WrongValuesError, mistakesOf } from './settings-values.mjs';

const readers = { relay, workers, projector, reconciler, ingress };
const URLS = {
  SURETY_SHARDS: 'mysql://u:secret@h:1/a,mysql://u:secret@h:1/b',
  SURETY_KAFKA_BROKERS: 'h:2',
  SURETY_REDIS_URL: 'redis://h:3',
};
const NO_DURATION = 'is not a duration such as 250ms, 30s, 5m or 1h, 480h at most';

const parts = { readers, runtime, db, port: 8080 };
const wrong = (environment) => mistakesOf(parts, environment);

describe('values of settings', () => {
  it('are read as every process does', () => {
    expect(Object.keys(readers)).toEqual(APP_NAMES);
  });

  it.each([
    ['nothing', {}],
    ['servers', URLS],
    ['a setting of each process', { SURETY_WORKER_STEPS: 'hold', SURETY_CHECK_INTERVAL: '5m' }],
    ['what is for the launcher', { SURETY_CACHE_DIR: '/x', PORT: 'not read here' }],
    ['what the launcher sets itself', { SURETY_INSTANCE: 'not an instance' }],
  ])('may be those of %s', (_what, environment) => {
    expect(wrong(environment)).toEqual([]);
  });

  it('are wrong all at once, whichever process reads them, and each once', () => {
    const environment = {
      SURETY_CHECK_INTERVAL: 'abc',
      SURETY_WORKER_STEPS: 'dance',
      SURETY_POOL_SIZE: '0',
      SURETY_INGRESS_QUEUE_MAX: '-1',
      HOLD_TIMEOUT: 'soon',
      SURETY_PARTITIONS: 'many',
    };
    const mistakes = wrong(environment);
    expect(mistakes.map((mistake) => mistake.split(':')[0]).sort()).toEqual(
      Object.keys(environment).sort(),
    );
    expect(mistakes).toContain(`SURETY_CHECK_INTERVAL: ${NO_DURATION}`);
  });

  it('are wrong in what is asked of them beyond their form', () => {
    expect(wrong({ SURETY_DEFAULT_CURRENCY: 'NOCASH' })).toEqual([
      'SURETY_DEFAULT_CURRENCY: is not a known currency',
    ]);
    expect(wrong({ ...URLS, SURETY_KAFKA_SASL: 'scram-sha-512' })).toEqual([
      'SURETY_KAFKA_USERNAME: is required where SURETY_KAFKA_SASL is not off',
      'SURETY_KAFKA_PASSWORD: is required where SURETY_KAFKA_SASL is not off',
    ]);
  });

  it('are not repeated: they may be passwords', () => {
    const mistakes = wrong({ ...URLS, SURETY_SHARDS: 'mysql://u:secret@h:1/a?ssl=true' });
    expect(mistakes).toEqual([expect.stringMatching(/^SURETY_SHARDS: entry 1 is not mysql/)]);
    expect(new WrongValuesError(mistakes).message).not.toContain('secret');
  });

  it('are those of the migration, too', () => {
    const shards = 'mysql://m:secret@h:1/a,mysql://m:secret@h:1/b?ssl=true';
    expect(wrong({ ...URLS, SURETY_MIGRATION_SHARDS: shards })).toEqual([
      expect.stringMatching(/^SURETY_MIGRATION_SHARDS: entry 2 is not mysql/),
    ]);
    const right = shards.replace('?ssl=true', '');
    expect(wrong({ ...URLS, SURETY_MIGRATION_SHARDS: right })).toEqual([]);
  });

  it('are told in a list, and refused as a process refuses them', () => {
    const error = new WrongValuesError(['ONE: is wrong', 'TWO: is wrong']);
    expect(error.message).toBe('settings are wrong:\n  - ONE: is wrong\n  - TWO: is wrong');
    expect(error.exitCode).toBe(78);
  });

  it('keep a fault of ours a fault', () => {
    const broken = () => {
      throw new TypeError('no mistake of theirs');
    };
    expect(() => mistakesOf({ ...parts, readers: { relay: broken } }, {})).toThrow(TypeError);
  });
});
