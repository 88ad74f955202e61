import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '@surety/runtime';
import { readConfig } from './config.js';

const servers = {
  SURETY_SHARDS: 'mysql://a:p@h:3306/s0',
  SURETY_KAFKA_BROKERS: 'h:9092',
  SURETY_REDIS_URL: 'redis://h:6379',
};

describe('chaining on the same shard', () => {
  it.each([
    [{}, true],
    [{ SURETY_LOCAL_CHAINING: 'on' }, true],
    [{ SURETY_LOCAL_CHAINING: 'off' }, false],
    [{ SURETY_WORKER_STEPS: 'hold,credit' }, false],
  ])('with %j is %p', (environment, chainsLocally) => {
    expect(readConfig({ ...servers, ...environment }).chainsLocally).toBe(chainsLocally);
  });

  it.each(['on,off', 'ON', 'true', '1'])('is neither on nor off where it is %s', (value) => {
    const read = (): unknown => readConfig({ ...servers, SURETY_LOCAL_CHAINING: value });
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(/SURETY_LOCAL_CHAINING: .*on.*off/);
  });
});
