/** Backing services that somebody else runs, named in the environment: all of them or none. */

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ shardUrls: string[], migrationUrls: string[], kafkaBrokers: string[],
 *   redisUrl: string } | undefined} undefined when the environment names none
 */
export function readExternalUrls(env) {
  const names = ['SURETY_SHARDS', 'SURETY_KAFKA_BROKERS', 'SURETY_REDIS_URL'];
  const missing = names.filter((name) => !env[name]);
  if (missing.length === names.length) {
    refuseSettingsOfOthers(env);
    return undefined;
  }
  if (missing.length > 0) {
    throw new Error(`${names.join(', ')} go together: ${missing.join(' and ')} not set`);
  }
  const shardUrls = splitList(env.SURETY_SHARDS);
  const migrationUrls = env.SURETY_MIGRATION_SHARDS
    ? splitList(env.SURETY_MIGRATION_SHARDS)
    : shardUrls;
  const mistakes = [
    ...urlMistakes('SURETY_SHARDS', shardUrls, 'mysql:', 'mysqls:'),
    ...urlMistakes('SURETY_MIGRATION_SHARDS', migrationUrls, 'mysql:', 'mysqls:'),
    ...urlMistakes('SURETY_REDIS_URL', [env.SURETY_REDIS_URL], 'redis:', 'rediss:'),
  ];
  if (migrationUrls.length !== shardUrls.length) {
    mistakes.push('SURETY_MIGRATION_SHARDS names another number of shards than SURETY_SHARDS');
  }
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
  const kafkaBrokers = splitList(env.SURETY_KAFKA_BROKERS);
  return { shardUrls, migrationUrls, kafkaBrokers, redisUrl: env.SURETY_REDIS_URL };
}

/** Servers of our own ask for neither TLS nor a password: whoever sets these means another Kafka. */
function refuseSettingsOfOthers(env) {
  const ofOthers = Object.keys(env).filter((name) => name.startsWith('SURETY_KAFKA_') && env[name]);
  if (ofOthers.length === 0) return;
  throw new Error(`${ofOthers.join(', ')}: for a Kafka that SURETY_KAFKA_BROKERS names`);
}

const splitList = (text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

/** The URL itself is not repeated: it may carry a password. */
function urlMistakes(name, urls, ...protocols) {
  return urls.flatMap((url, index) => {
    const isRight = URL.canParse(url) && protocols.includes(new URL(url).protocol);
    return isRight ? [] : [`${name}: entry ${index + 1} is not a ${protocols[0]}// URL`];
  });
}
