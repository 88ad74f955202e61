import { commonShape, defaultInstance, parseEnvironment } from '@surety/runtime';

export interface ProjectorConfig {
  readonly shardUrls: readonly string[];
  readonly kafkaBrokers: readonly string[];
  readonly redisUrl: string;
  readonly instance: string;
  readonly logLevel: string;
  readonly host: string;
  readonly adminPort: number;
  readonly poolSize: number;
}

/** @throws ConfigurationError */
export function readConfig(environment: NodeJS.ProcessEnv): ProjectorConfig {
  const values = parseEnvironment(commonShape, environment);
  return {
    shardUrls: values.SURETY_SHARDS,
    kafkaBrokers: values.SURETY_KAFKA_BROKERS,
    redisUrl: values.SURETY_REDIS_URL,
    instance: values.SURETY_INSTANCE ?? defaultInstance('projector'),
    logLevel: values.SURETY_LOG_LEVEL,
    host: values.SURETY_HOST,
    adminPort: values.SURETY_ADMIN_PORT,
    poolSize: values.SURETY_POOL_SIZE,
  };
}
