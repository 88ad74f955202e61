import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findSystemFile, withRunningSystem } from './system-file.js';

describe('the running system of a repository', () => {
  let root: string;
  let below: string;
  const system = {
    shardUrls: ['mysql://u:p@127.0.0.1:1/a', 'mysql://u:p@127.0.0.1:1/b'],
    kafkaBrokers: ['127.0.0.1:2'],
    redisUrl: 'redis://127.0.0.1:3',
    http: 'http://127.0.0.1:8080',
    processes: [],
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'surety-system-'));
    below = join(root, 'packages', 'deep');
    mkdirSync(below, { recursive: true });
    mkdirSync(join(root, '.surety'));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function write(content: string): void {
    writeFileSync(join(root, '.surety', 'system.json'), content);
  }

  it('is found from any directory below', () => {
    write('{}');
    expect(findSystemFile(below)).toBe(join(root, '.surety', 'system.json'));
  });

  it('fills in what the environment leaves out', () => {
    write(JSON.stringify(system));
    expect(withRunningSystem({ HOLD_TIMEOUT: '1m' }, below)).toEqual({
      HOLD_TIMEOUT: '1m',
      SURETY_SHARDS: system.shardUrls.join(','),
      SURETY_KAFKA_BROKERS: '127.0.0.1:2',
      SURETY_REDIS_URL: 'redis://127.0.0.1:3',
    });
  });

  it('takes over what the system was started with, and lets the caller decide otherwise', () => {
    const settings = {
      HOLD_TIMEOUT: '20m',
      SURETY_STALL_TIMEOUT: '2m',
      SURETY_CURRENCIES: 'GOLD:6',
      SURETY_DEFAULT_CURRENCY: 'GOLD',
      SURETY_POOL_SIZE: '99',
    };
    write(JSON.stringify({ ...system, settings }));
    const environment = withRunningSystem({ HOLD_TIMEOUT: '1m', SURETY_CURRENCIES: '' }, below);
    expect(environment).toMatchObject({
      HOLD_TIMEOUT: '1m',
      SURETY_STALL_TIMEOUT: '2m',
      SURETY_CURRENCIES: 'GOLD:6',
      SURETY_DEFAULT_CURRENCY: 'GOLD',
    });
    expect(environment).not.toHaveProperty('SURETY_POOL_SIZE');
  });

  it.each([[['HOLD_TIMEOUT']], [{ HOLD_TIMEOUT: 5 }], ['5m']])(
    'is refused where its settings are %j',
    (settings) => {
      write(JSON.stringify({ ...system, settings }));
      expect(() => withRunningSystem({}, below)).toThrow('does not describe a system');
    },
  );

  it('gives way to an environment that names the shards', () => {
    write(JSON.stringify(system));
    const environment = { SURETY_SHARDS: 'mysql://u:p@elsewhere:1/x' };
    expect(withRunningSystem(environment, below)).toBe(environment);
  });

  it('leaves the environment as it is where no system was started', () => {
    const environment = {};
    expect(withRunningSystem(environment, below)).toBe(environment);
  });

  it.each(['', '{', '[]', '{"shardUrls": []}', '{"shardUrls": ["x"], "kafkaBrokers": "y"}'])(
    'is refused where the file says %j',
    (content) => {
      write(content);
      expect(() => withRunningSystem({}, below)).toThrow('does not describe a system');
    },
  );
});
