/** What each process of a launched system finds in its environment. */

/** In the order they start. They end the other way round: no new work first. */
export const APP_NAMES = ['relay', 'workers', 'projector', 'reconciler', 'ingress'];
/** For the launcher itself; the processes refuse names they do not know. */
const LAUNCHER_VARIABLES = ['SURETY_CACHE_DIR', 'SURETY_MIGRATION_SHARDS'];

/**
 * @param {{ shardUrls: string[], kafkaBrokers: string[], redisUrl: string, partitions: number | string }} system
 * @param {NodeJS.ProcessEnv} [environment] the launcher's
 */
export function sharedEnvironment(system, environment = process.env) {
  const { shardUrls, kafkaBrokers, redisUrl, partitions } = system;
  const env = { ...environment };
  for (const name of [...LAUNCHER_VARIABLES, 'PORT']) delete env[name];
  return {
    ...env,
    SURETY_SHARDS: shardUrls.join(','),
    SURETY_KAFKA_BROKERS: kafkaBrokers.join(','),
    SURETY_REDIS_URL: redisUrl,
    SURETY_PARTITIONS: String(partitions),
  };
}

/** @param {string} name @param {number} port where it is asked how it is; of ingress that of the API */
export function environmentOf(name, port, shared) {
  const portVariable = name === 'ingress' ? 'PORT' : 'SURETY_ADMIN_PORT';
  return { ...shared, SURETY_INSTANCE: `${name}-1`, [portVariable]: String(port) };
}
