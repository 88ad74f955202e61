import type { z } from 'zod';
import type { commonShape } from './common-shape.js';
import { kafkaCluster } from './kafka-settings.js';
import type { KafkaCluster } from './kafka/cluster.js';
import { defaultInstance } from './settings.js';

/** What every process with an admin server takes from `commonShape`. */
export interface ProcessConfig {
  readonly shardUrls: readonly string[];
  readonly kafka: KafkaCluster;
  /** Partitions of each topic that messages are spread over. */
  readonly partitions: number;
  readonly redisUrl: string;
  readonly instance: string;
  readonly logLevel: string;
  readonly host: string;
  readonly adminPort: number;
  readonly poolSize: number;
}

/** @param processName what the instance is named after where the environment names none */
export function processConfig(
  processName: string,
  values: z.infer<z.ZodObject<ReturnType<typeof commonShape>>>,
): ProcessConfig {
  return {
    shardUrls: values.SURETY_SHARDS,
    kafka: kafkaCluster(values),
    partitions: values.SURETY_PARTITIONS,
    redisUrl: values.SURETY_REDIS_URL,
    instance: values.SURETY_INSTANCE ?? defaultInstance(processName),
    logLevel: values.SURETY_LOG_LEVEL,
    host: values.SURETY_HOST,
    adminPort: values.SURETY_ADMIN_PORT,
    poolSize: values.SURETY_POOL_SIZE,
  };
}
