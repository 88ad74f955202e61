export { KNOWN_NAMES, parseEnvironment } from './config.js';
export { ConfigurationError } from './configuration-error.js';
export {
  DURATION_MAX_TEXT,
  PARTITIONS_DEFAULT,
  defaultInstance,
  parseDuration,
  settings,
  type TextForm,
} from './settings.js';
export { kafkaCluster, kafkaShape } from './kafka-settings.js';
export { commonShape } from './common-shape.js';
export { Secret } from './secret.js';
export { processConfig, type ProcessConfig } from './process-config.js';
export { Releasers, type RunningProcess } from './lifecycle.js';
export {
  EXIT_CONFIGURATION,
  EXIT_CRASH,
  EXIT_FORCED,
  HEAP_GROWTH_PERCENT_WITH_WORK_IN_HAND,
  PROCESS_NODE_ARGUMENTS,
  runMain,
  type StartProcess,
} from './main-process.js';
export {
  openAdminServer,
  openConsumer,
  openPartitionCheck,
  startPatience,
  startProcess,
  type AdminOptions,
  type ProcessKit,
  type ProcessOptions,
} from './start-process.js';
export { errorLine } from './error-line.js';
export { createLogger, describeError, redactUrls, type Logger } from './log.js';
export { childTraceparent, newTraceparent, parseTraceparent, traceIdOf } from './trace.js';
export { randomHex, takeRandomBytes } from './random.js';
export { createMetrics, databaseCounters, type DatabaseCounters, type Metrics } from './metrics.js';
export { HEALTH_PATHS, healthRouter, type HealthCheck, type HealthOptions } from './health.js';
export { startAdminServer, type AdminServer, type AdminServerOptions } from './admin-server.js';
export { DeadlineError, backoffMs, sleep, withDeadline } from './retry.js';
export { REAL_CLOCK, type Clock } from './clock.js';
export { Loop, type LoopOptions } from './loop.js';
export { LeaseKeeper, type Lease, type LeaseKeeperOptions } from './lease-keeper.js';
export { isolate, type Isolated } from './isolate.js';
export { Batcher, BatcherStoppedError, QueueFullError, type BatcherOptions } from './batcher.js';
export type {
  BatchHandler,
  BatchVerdict,
  ConsumerOptions,
  IncomingBatch,
  IncomingMessage,
  KafkaOptions,
  MessageConsumer,
  MessagePublisher,
  OutgoingMessage,
} from './kafka/ports.js';
export type { KafkaCluster } from './kafka/cluster.js';
export { createPublisher } from './kafka/publisher.js';
export { lagGauge } from './kafka/lag-gauge.js';
export { startConsumer } from './kafka/consumer.js';
export { stopAtNewerSchema } from './kafka/newer-schema.js';
export { countPartitions } from './kafka/partition-check.js';
export { createTopics, kafkaHealthCheck } from './kafka/topics.js';
export { connectRedis, type RedisHandle } from './redis.js';
export { RedisScript, partsOfCalls } from './redis-script.js';
export { CHANNELS, createDoorbell, type Doorbell, type ListeningDoorbell } from './doorbell.js';
