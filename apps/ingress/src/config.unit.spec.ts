import { expect, test } from '@jest/globals';
import { ConfigurationError } from '@surety/runtime';
import { readConfig } from './config.js';

function mistakesOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
}

test('mistakes in the URLs of shards are told together with all others', () => {
  const environment = {
    SURETY_SHARDS: 'mysql://u:secret@h/s,mysql://u:secret@h,mysqls://u:secret@10.0.0.1/s',
    SURETY_KAFKA_BROKERS: 'nowhere',
    PORT: '65536',
  };
  const form = 'mysql[s]://user:password@host:port/schema';
  expect(mistakesOf(environment)).toEqual([
    `SURETY_SHARDS: entry 2 is not ${form}`,
    `SURETY_SHARDS: entry 3 is not ${form}`,
    'SURETY_KAFKA_BROKERS: entry 1 is not host:port',
    'SURETY_REDIS_URL: is required',
    'PORT: is not a whole number from 0 to 65535',
  ]);
});
