import { randomBytes } from 'node:crypto';
import type { Topic } from '@surety/contracts';
import { createLogger, createTopics } from '@surety/runtime';
import type { Logger } from '@surety/runtime';
import { TEST_PARTITIONS } from './test-partitions.js';

/** SURETY_TEST_KAFKA_BROKERS: the brokers that specs run against. */
export function testBrokers(): readonly string[] {
  return requiredVariable('SURETY_TEST_KAFKA_BROKERS').split(',');
}

/** SURETY_TEST_REDIS_URL: the Redis that specs run against. */
export function testRedisUrl(): string {
  return requiredVariable('SURETY_TEST_REDIS_URL');
}

function requiredVariable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: integration specs need the servers of npm test`);
  return value;
}

/** What a process needs to run on the servers of the run and on a spec's own shards. */
export function testEnvironment(shardUrls: readonly string[]): Readonly<Record<string, string>> {
  return {
    SURETY_SHARDS: shardUrls.join(','),
    SURETY_KAFKA_BROKERS: testBrokers().join(','),
    SURETY_REDIS_URL: testRedisUrl(),
    SURETY_LOG_LEVEL: 'error',
  };
}

/** Topics of a spec's own, so that specs can run beside each other on one broker. */
export interface TestTopics {
  /** Nobody else's; fit for groups and clients too. */
  readonly prefix: string;
  readonly names: Readonly<Record<Topic, string>>;
}

export async function createTestTopics(spec: string): Promise<TestTopics> {
  const prefix = `${spec}-spec-${randomBytes(6).toString('hex')}`;
  const names = {
    toSource: `${prefix}.to-source`,
    toDestination: `${prefix}.to-destination`,
    ended: `${prefix}.ended`,
  };
  const topics = Object.values(names);
  await createTopics({ brokers: testBrokers(), topics, partitions: TEST_PARTITIONS });
  return { prefix, names };
}

/** For a spec that looks at rows and messages, not at log lines. */
export function silentLog(process: string): Logger {
  const log = createLogger({ process, instance: 'spec', level: 'error' });
  log.silent = true;
  return log;
}
