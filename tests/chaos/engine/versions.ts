import type { BackingServers } from '@surety/testing/system';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';

/** What the run stood on. */
export async function versionsOf(servers: BackingServers): Promise<Record<string, string>> {
  return {
    'Node.js': process.versions.node,
    ...(await databaseVersion(servers.shardUrls[0] as string)),
    Kafka: servers.kafkaVersion,
    Redis: await redisVersion(servers.redisUrl),
  };
}

async function databaseVersion(url: string): Promise<Record<string, string>> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query('SELECT VERSION() AS version');
    const { version } = (rows as { version: string }[])[0] ?? { version: '' };
    return { [version.includes('MariaDB') ? 'MariaDB' : 'MySQL']: version.split('-')[0] ?? '' };
  } finally {
    await connection.end();
  }
}

async function redisVersion(url: string): Promise<string> {
  const redis = new Redis(url);
  try {
    return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? '';
  } finally {
    redis.disconnect();
  }
}
