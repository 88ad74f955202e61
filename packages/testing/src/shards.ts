import { randomBytes } from 'node:crypto';
import { migrateShards, openShards } from '@surety/db';
import type { ShardOptions, ShardPools } from '@surety/db';
import { createConnection } from 'mysql2/promise';
import { TEST_PARTITIONS } from './test-partitions.js';

export interface TestShardOptions extends Partial<Omit<ShardOptions, 'urls'>> {
  readonly count?: number;
}

export interface TestShards {
  /** One URL for each shard, of schemas that nobody else uses. */
  readonly urls: readonly string[];
  /** Open and ready. */
  readonly pools: ShardPools;
  /** The database server's URL, for a user who may do anything. */
  readonly adminUrl: string;
  /** Closes the pools and drops the schemas. */
  drop(): Promise<void>;
}

/** The server that specs run against: SURETY_TEST_MYSQL_URL, a URL with all rights. */
export function testMySqlUrl(): string {
  const url = process.env['SURETY_TEST_MYSQL_URL'];
  if (!url) throw new Error('SURETY_TEST_MYSQL_URL names no database server for this spec');
  return url;
}

/** Migrated shards of a spec's own, so that specs can run beside each other on one server. */
export async function createTestShards(options: TestShardOptions = {}): Promise<TestShards> {
  const { count = 1, poolSize = 8, ...others } = options;
  const adminUrl = testMySqlUrl();
  const prefix = `surety_t_${randomBytes(6).toString('hex')}`;
  const schemas = Array.from({ length: count }, (_, id) => `${prefix}_${id}`);
  await administer(
    adminUrl,
    schemas.map((schema) => `CREATE DATABASE ${schema} CHARACTER SET utf8mb4`),
  );
  const drop = (): Promise<void> =>
    administer(
      adminUrl,
      schemas.map((schema) => `DROP DATABASE IF EXISTS ${schema}`),
    );
  const urls = schemas.map((schema) => urlOf(adminUrl, schema));
  try {
    await migrateShards(urls);
    const pools = openShards({ partitions: TEST_PARTITIONS, ...others, urls, poolSize });
    await pools.ready();
    const close = async (): Promise<void> => {
      await pools.close();
      await drop();
    };
    return { urls, pools, adminUrl, drop: close };
  } catch (error) {
    await drop();
    throw error;
  }
}

function urlOf(adminUrl: string, schema: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${schema}`;
  return url.href;
}

async function administer(adminUrl: string, statements: readonly string[]): Promise<void> {
  const connection = await createConnection(adminUrl);
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
