import type { ServerKind, ServiceControl } from './service-control.js';
import { freePort } from './surety-process.js';

/** A server as our processes are to reach it. */
export interface ServerAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface ServerOptions {
  /** One database server for all shards, or one for each so that a single shard can be stopped. */
  readonly servers?: 'shared' | 'separate';
  readonly shards?: number;
  readonly engine?: ServerKind;
  /**
   * Stands between our processes and a server: told where the server listens, or will listen, it
   * returns the port on loopback that our processes are given instead.
   */
  readonly front?: (server: ServerAddress) => Promise<number>;
}

export interface BackingServers {
  /** The servers themselves, for those who look on from outside. */
  readonly shardUrls: readonly string[];
  readonly migrationUrls: readonly string[];
  readonly adminUrls: readonly string[];
  readonly broker: string;
  readonly kafkaVersion: string;
  readonly redisUrl: string;
  /** What our processes are given: the same, or what stands in front of them. */
  readonly reached: {
    readonly shardUrls: readonly string[];
    readonly broker: string;
    readonly redisUrl: string;
  };
}

/** Names by which the service control knows them. Shards are `shards`, or `shard0`, `shard1`, … */
export const KAFKA_SERVER = 'kafka';
export const REDIS_SERVER = 'redis';

export async function startBackingServers(
  control: ServiceControl,
  options: ServerOptions,
): Promise<BackingServers> {
  const [kafka, redis, shards] = await Promise.all([
    startKafka(control, options),
    startRedis(control, options),
    startShards(control, options),
  ]);
  return {
    shardUrls: shards.flatMap((one) => one.shardUrls),
    migrationUrls: shards.flatMap((one) => one.migrationUrls),
    adminUrls: shards.map((one) => one.adminUrl),
    broker: kafka.broker,
    kafkaVersion: kafka.version,
    redisUrl: redis.url,
    reached: {
      shardUrls: shards.flatMap((one) => one.reachedUrls),
      broker: kafka.reachedBroker,
      redisUrl: redis.reachedUrl,
    },
  };
}

/** Clients of Kafka come back to the address that the broker advertises, so it must know the front. */
async function startKafka(
  control: ServiceControl,
  { front }: ServerOptions,
): Promise<{ broker: string; reachedBroker: string; version: string }> {
  if (front === undefined) {
    const { url, version = '' } = await control.start('kafka', KAFKA_SERVER);
    return { broker: url, reachedBroker: url, version };
  }
  const port = await freePort();
  const advertisedPort = await front({ name: KAFKA_SERVER, host: '127.0.0.1', port });
  const { url, version = '' } = await control.start('kafka', KAFKA_SERVER, {
    behindProxy: { port, advertisedPort },
  });
  return { broker: url, reachedBroker: `127.0.0.1:${advertisedPort}`, version };
}

async function startRedis(
  control: ServiceControl,
  { front }: ServerOptions,
): Promise<{ url: string; reachedUrl: string }> {
  const { url } = await control.start('redis', REDIS_SERVER);
  return { url, reachedUrl: await reachedUrl(REDIS_SERVER, url, front) };
}

interface StartedShards {
  readonly shardUrls: readonly string[];
  readonly reachedUrls: readonly string[];
  readonly migrationUrls: readonly string[];
  readonly adminUrl: string;
}

function startShards(control: ServiceControl, options: ServerOptions): Promise<StartedShards[]> {
  const { servers = 'shared', shards = 2, front } = options;
  const kind =
    options.engine ?? ((process.env['SURETY_TEST_MYSQL_ENGINE'] ?? 'mariadb') as ServerKind);
  const startServer = async (
    name: string,
    prefix: string,
    count: number,
  ): Promise<StartedShards> => {
    const settings = servers === 'shared' ? {} : { bufferPoolMb: 128 };
    const { url } = await control.start(kind, name, settings);
    const { shardUrls, migrationUrls } = await control.provision(name, prefix, count);
    const door = new URL(await reachedUrl(name, url, front));
    const reachedUrls = shardUrls.map((shardUrl) => {
      const reached = new URL(shardUrl);
      reached.port = door.port;
      return reached.href;
    });
    return { shardUrls, migrationUrls, reachedUrls, adminUrl: url };
  };
  if (servers === 'shared') return Promise.all([startServer('shards', 'surety', shards)]);
  return Promise.all(
    Array.from({ length: shards }, (_, shard) => startServer(`shard${shard}`, `surety${shard}`, 1)),
  );
}

async function reachedUrl(
  name: string,
  url: string,
  front: ServerOptions['front'],
): Promise<string> {
  if (front === undefined) return url;
  const reached = new URL(url);
  const port = await front({ name, host: reached.hostname, port: Number(reached.port) });
  reached.port = String(port);
  return reached.href;
}
