import { startAdminServer } from './admin-server.js';
import type { HealthCheck } from './health.js';
import { kafkaHealthCheck } from './kafka/topics.js';
import { startConsumer } from './kafka/consumer.js';
import { checkPartitions } from './kafka/partition-check.js';
import { lagGauge } from './kafka/lag-gauge.js';
import type { ConsumerOptions, MessageConsumer } from './kafka/ports.js';
import { Releasers, type RunningProcess } from './lifecycle.js';
import { createLogger, type Logger } from './log.js';
import { createMetrics, type Metrics } from './metrics.js';
import type { ProcessConfig } from './process-config.js';
import type { RedisHandle } from './redis.js';

export interface ProcessOptions {
  /** As logs and metrics call it. */
  readonly name: string;
  readonly instance: string;
  readonly logLevel: string;
  /** For all releases together; what takes longer is left to the end of the process. */
  readonly stopDeadlineMs: number;
  /** Default: one of its own. */
  readonly log?: Logger | undefined;
}

/** What a process has before it has anything of its own. */
export interface ProcessKit {
  /** As logs and metrics call the process. */
  readonly name: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Every dependency that is opened pushes its release. */
  readonly releasers: Releasers;
  readonly isStopping: () => boolean;
  readonly intake: Intake;
}

/** Whether messages come in. A broker that answers is not enough: the group must have let us in. */
export class Intake {
  #consumer: Pick<MessageConsumer, 'running'> | undefined;

  opened(consumer: Pick<MessageConsumer, 'running'>): void {
    this.#consumer = consumer;
  }

  /** @throws Error before the group was joined and whenever the consumer is not in it */
  mustRun(): void {
    if (!this.#consumer?.running) throw new Error('no messages come in: not in the group');
  }
}

/**
 * Starts a process: `build` opens what it needs and says what the process shows of itself. Where
 * that fails, what was opened is released before the error goes on. However often it is asked to
 * stop, it stops once: not ready any more, then the releases, last in, first out.
 */
export async function startProcess<Shown extends object>(
  options: ProcessOptions,
  build: (kit: ProcessKit) => Promise<Shown>,
): Promise<RunningProcess & Shown> {
  const { name, instance, logLevel: level, stopDeadlineMs } = options;
  const log = options.log ?? createLogger({ process: name, instance, level });
  const releasers = new Releasers();
  let stopped: Promise<void> | undefined;
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const stop = (): Promise<void> => {
    stopped ??= releasers.releaseAll(stopDeadlineMs, log).then(finish);
    return stopped;
  };
  const isStopping = (): boolean => stopped !== undefined;
  try {
    const metrics = createMetrics(name);
    const shown = await build({ name, log, metrics, releasers, isStopping, intake: new Intake() });
    return { ...shown, done, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Shorter than a supervisor's patience with a process that is told to end: it does so after its start.
 */
const START_PATIENCE_MS = 15_000;

/** How long a start waits for databases that are away, and what it says of it. */
export function startPatience(log: Logger): {
  readonly patienceMs: number;
  readonly waiting: (error: unknown) => void;
} {
  return {
    patienceMs: START_PATIENCE_MS,
    waiting: (error) => {
      log.warn('no shard answers yet, the start waits', { error });
    },
  };
}

export interface PartitionNeeds {
  readonly config: Pick<ProcessConfig, 'kafka' | 'partitions'>;
  /** All that the process reads, writes rows for or publishes to. */
  readonly topics: readonly string[];
}

export interface AdminOptions {
  readonly config: Pick<ProcessConfig, 'host' | 'adminPort' | 'kafka'>;
  readonly database: HealthCheck;
  readonly redis: Pick<RedisHandle, 'check'>;
  /** Those of database, kafka and redis that the process does its work without. */
  readonly optional: readonly ('database' | 'kafka' | 'redis')[];
  /** Of `openPartitionCheck`: without the partitions that are written to, nothing goes on. */
  readonly partitions: HealthCheck;
  /** Whether the process lives by messages: then it is ready only while they come in. */
  readonly consumes?: boolean;
}

/**
 * Compares SURETY_PARTITIONS with the topics, now or as soon as Kafka answers. The result is for
 * readiness.
 * @throws ConfigurationError where a topic has fewer
 */
export async function openPartitionCheck(
  { log, releasers }: Pick<ProcessKit, 'log' | 'releasers'>,
  { config, topics }: PartitionNeeds,
): Promise<HealthCheck> {
  const { kafka, partitions } = config;
  const found = await checkPartitions({ ...kafka, topics, partitions, log });
  releasers.push('partition check', () => found.stop());
  return found.check;
}

/** The admin server of a process without an HTTP interface of its own. Returns its port. */
export async function openAdminServer(kit: ProcessKit, options: AdminOptions): Promise<number> {
  const { config, database, redis, partitions, optional, consumes = false } = options;
  const broker = kafkaHealthCheck(config.kafka);
  const kafka = async (): Promise<void> => {
    await broker();
    if (consumes) kit.intake.mustRun();
  };
  const { name, metrics, isStopping } = kit;
  const admin = await startAdminServer({
    ...{ host: config.host, port: config.adminPort, process: name },
    ...{ metrics, isStopping, optional },
    checks: { database, kafka, partitions, redis: redis.check },
  });
  kit.releasers.push('admin server', () => admin.close());
  return admin.port;
}

/** Joins a group and samples its lag, until the process stops. */
export async function openConsumer(
  { log, metrics, releasers, intake }: ProcessKit,
  options: Omit<ConsumerOptions, 'log'>,
): Promise<void> {
  const consumer = await startConsumer({ ...options, log });
  intake.opened(consumer);
  releasers.push('consumer', () => consumer.stop());
  const gauge = lagGauge(consumer, metrics);
  gauge.start();
  releasers.push('lag gauge', () => gauge.stop());
}
