import { describe, expect, test } from '@jest/globals';
import { commonShape as commonShapeFor } from './common-shape.js';
import { KNOWN_NAMES, parseEnvironment } from './config.js';
import { ConfigurationError } from './configuration-error.js';
import { defaultInstance, parseDuration, settings } from './settings.js';

/** Which texts are URLs of shards is asked of whoever connects to them. */
const commonShape = commonShapeFor({
  form: 'mysql://schema',
  isMet: (text) => text.startsWith('mysql://'),
});

const complete = {
  SURETY_SHARDS:
    'mysql://app:s3cret@127.0.0.1:3306/surety_0,mysql://app:s3cret@127.0.0.1:3307/surety_1',
  SURETY_KAFKA_BROKERS: '127.0.0.1:9092, kafka-2:9092',
  SURETY_REDIS_URL: 'redis://127.0.0.1:6379',
};

function mistakesOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    parseEnvironment(commonShape, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
}

describe('a correct environment', () => {
  test('gives values in the units of the code, with defaults', () => {
    expect(parseEnvironment(commonShape, { ...complete, PATH: '/bin' })).toEqual({
      SURETY_SHARDS: complete.SURETY_SHARDS.split(','),
      SURETY_KAFKA_BROKERS: ['127.0.0.1:9092', 'kafka-2:9092'],
      SURETY_KAFKA_TLS: 'off',
      SURETY_KAFKA_SASL: 'off',
      SURETY_PARTITIONS: 8,
      SURETY_REDIS_URL: 'redis://127.0.0.1:6379',
      SURETY_LOG_LEVEL: 'info',
      SURETY_HOST: '127.0.0.1',
      SURETY_ADMIN_PORT: 0,
      SURETY_POOL_SIZE: 8,
      SURETY_CURRENCIES: [],
      SURETY_DEFAULT_CURRENCY: 'EUR',
      HOLD_TIMEOUT: 300_000,
    });
  });

  test('may name settings of other processes and of tests', () => {
    const others = {
      SURETY_WORKER_STEPS: 'hold',
      SURETY_TEST_ANYTHING: 'x',
      SURETY_CACHE_DIR: '/c',
    };
    expect(mistakesOf({ ...complete, ...others })).toEqual([]);
  });

  test('treats an empty value as not set', () => {
    const parsed = parseEnvironment(commonShape, { ...complete, HOLD_TIMEOUT: '' });
    expect(parsed.HOLD_TIMEOUT).toBe(300_000);
  });
});

describe('mistakes', () => {
  test('are all reported together, unknown names included', () => {
    const mistakes = mistakesOf({
      SURETY_SHARDS: 'postgres://x',
      SURETY_KAFKA_BROKERS: 'nowhere',
      HOLD_TIMEOUT: 'soon',
      SURETY_POOL_SIZE: '0',
      SURETY_SHRADS: 'x',
      SURETY_CURRENCIES: 'POINTS:0,gold',
    });
    expect(mistakes).toEqual([
      'SURETY_SHARDS: entry 1 is not mysql://schema',
      'SURETY_KAFKA_BROKERS: entry 1 is not host:port',
      'SURETY_REDIS_URL: is required',
      'SURETY_POOL_SIZE: is not a whole number from 1 to 1000000',
      'SURETY_CURRENCIES: entry 2 is not CODE:decimals (3 to 8 capitals and digits, 0 to 8 decimals)',
      'HOLD_TIMEOUT: is not a duration such as 250ms, 30s, 5m or 1h, 480h at most',
      'SURETY_SHRADS: is not a known setting',
    ]);
  });

  test.each([
    ['a shard twice', { SURETY_SHARDS: 'mysql://a:p@h/s,mysql://a:p@h/s' }],
    ['a shard that is none', { SURETY_SHARDS: 'mysql://a:p@h/s,nonsense' }],
    ['no shard at all', { SURETY_SHARDS: ' , ' }],
    ['a broker with a port beyond 65535', { SURETY_KAFKA_BROKERS: 'h:65536' }],
    ['a broker with a path', { SURETY_KAFKA_BROKERS: 'h:9092/x' }],
    ['a redis URL of another scheme', { SURETY_REDIS_URL: 'http://h:1' }],
    ['an unknown log level', { SURETY_LOG_LEVEL: 'loud' }],
    ['a currency code in lower case', { SURETY_DEFAULT_CURRENCY: 'eur' }],
    ['a fraction of a connection', { SURETY_POOL_SIZE: '1.5' }],
    ['a port beyond 65535', { SURETY_ADMIN_PORT: '65536' }],
    ['an instance with a space', { SURETY_INSTANCE: 'a b' }],
  ])('include %s', (_, environment) => {
    expect(mistakesOf({ ...complete, ...environment })).toHaveLength(1);
  });

  test('never repeat a password', () => {
    const wrong = {
      ...complete,
      SURETY_SHARDS: 'postgres://app:hunter2@h/s,app:hunter2@h/s,app:hunter2',
      SURETY_REDIS_URL: 'http://:hunter2@h',
      SURETY_KAFKA_BROKERS: 'user:hunter2@h',
    };
    expect(mistakesOf(wrong)).toHaveLength(5);
    expect(mistakesOf(wrong).join()).not.toContain('hunter2');
  });

  test('of a shape that reads an unlisted name are found by its author', () => {
    expect(() => parseEnvironment({ SURETY_NEW: settings.host() }, {})).toThrow('KNOWN_NAMES');
  });
});

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['7', 7000],
  ['0', 0],
  ['1.5s', undefined],
  ['-1s', undefined],
  ['5 m', undefined],
  ['5d', undefined],
  ['', undefined],
  ['480h', 1_728_000_000],
  ['481h', undefined],
])('the duration %j is %p ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test('a list of steps is checked and given in the order of the code', () => {
  const shape = {
    SURETY_WORKER_STEPS: settings.listOf(['hold', 'credit', 'settle'], 'hold,settle'),
  };
  const stepsOf = (value: string | undefined) =>
    parseEnvironment(shape, { SURETY_WORKER_STEPS: value }).SURETY_WORKER_STEPS;
  expect(stepsOf(undefined)).toEqual(['hold', 'settle']);
  expect(stepsOf('settle,hold,credit')).toEqual(['hold', 'credit', 'settle']);
  expect(() => stepsOf('hold,fly')).toThrow(ConfigurationError);
});

test('custom currencies have their exponents', () => {
  const parsed = parseEnvironment(commonShape, {
    ...complete,
    SURETY_CURRENCIES: 'POINTS:0,GOLD:6',
  });
  expect(parsed.SURETY_CURRENCIES).toEqual([
    { code: 'POINTS', exponent: 0 },
    { code: 'GOLD', exponent: 6 },
  ]);
});

test.each(['1', '16', '1024'])('%s partitions are taken', (SURETY_PARTITIONS) => {
  const parsed = parseEnvironment(commonShape, { ...complete, SURETY_PARTITIONS });
  expect(parsed.SURETY_PARTITIONS).toBe(Number(SURETY_PARTITIONS));
});

test.each(['0', '1025', '-1', '1.5', '8x', ' '])('%j partitions are not', (SURETY_PARTITIONS) => {
  expect(mistakesOf({ ...complete, SURETY_PARTITIONS, SURETY_POOL_SIZE: '0' })).toEqual([
    'SURETY_PARTITIONS: is not a whole number from 1 to 1024',
    'SURETY_POOL_SIZE: is not a whole number from 1 to 1000000',
  ]);
});

test('default instances name their process and differ', () => {
  expect(defaultInstance('relay')).toMatch(/^relay-\d+-[0-9a-f]{6}$/);
  expect(defaultInstance('relay')).not.toBe(defaultInstance('relay'));
});

test('every name of the common shape is listed', () => {
  const names = Object.keys(commonShape).filter((name) => name.startsWith('SURETY_'));
  expect(KNOWN_NAMES).toEqual(expect.arrayContaining(names));
});
