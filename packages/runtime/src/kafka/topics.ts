import { type Admin, type ITopicMetadata } from 'kafkajs';
import type { HealthCheck } from '../health.js';
import { sleep } from '../retry.js';
import { createClient } from './client.js';
import type { KafkaCluster } from './cluster.js';
import { Leaders } from './leaders.js';

export interface TopicsOptions extends KafkaCluster {
  readonly topics: readonly string[];
  /** At least so many partitions each; a topic with fewer gets more, one with more keeps them. */
  readonly partitions: number;
}

const LEADERS_DEADLINE_MS = 30_000;
const LEADERS_POLL_MS = 100;
/** Probes come from several sides; asking the broker more often than this tells nothing new. */
const CHECK_REUSED_MS = 1000;
/** For all brokers together, one after the other: within what a probe gives a check. */
const CHECK_ANSWERS_MS = 1800;

/**
 * Creates the topics that are missing and waits until every partition has a leader. Safe to call
 * again and at the same time. Replication is the broker's default.
 * @throws Error when the leaders are not there within 30 s, or the broker is away.
 */
export async function createTopics(options: TopicsOptions): Promise<void> {
  const admin = createClient({ ...options, clientId: 'surety-topics' }).admin();
  try {
    await admin.connect();
    await createMissing(admin, options);
    await waitForLeaders(admin, options);
  } finally {
    await admin.disconnect();
  }
}

async function createMissing(admin: Admin, options: TopicsOptions): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = options.topics.filter((topic) => !existing.has(topic));
  if (missing.length > 0) {
    await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map((topic) => ({ topic, numPartitions: options.partitions })),
    });
  }
  const present = options.topics.filter((topic) => existing.has(topic));
  const described = present.length > 0 ? await describe(admin, present) : [];
  const short = described.filter((topic) => topic.partitions.length < options.partitions);
  if (short.length > 0) {
    await admin.createPartitions({
      topicPartitions: short.map(({ name }) => ({ topic: name, count: options.partitions })),
    });
  }
}

async function waitForLeaders(admin: Admin, options: TopicsOptions): Promise<void> {
  const endsAt = performance.now() + LEADERS_DEADLINE_MS;
  for (;;) {
    // A topic that was created a moment ago is unknown to other brokers: that is "not yet".
    const described = await describe(admin, options.topics).catch(() => []);
    const ready = described.filter((topic) => isLed(topic, options.partitions));
    if (ready.length === options.topics.length) {
      return;
    }
    if (performance.now() > endsAt) {
      throw new Error(`topics without leaders after ${LEADERS_DEADLINE_MS} ms`);
    }
    await sleep(LEADERS_POLL_MS);
  }
}

async function describe(admin: Admin, topics: readonly string[]): Promise<ITopicMetadata[]> {
  const { topics: described } = await admin.fetchTopicMetadata({ topics: [...topics] });
  return described;
}

function isLed(topic: ITopicMetadata, partitions: number): boolean {
  const led = topic.partitions.filter(({ leader }) => leader >= 0);
  return led.length >= partitions && led.length === topic.partitions.length;
}

/**
 * Asks a broker for the cluster over a connection of its own: what the process's own connections
 * believe is not asked, and nothing stays open.
 */
export function kafkaHealthCheck(cluster: KafkaCluster): HealthCheck {
  let last: Promise<void> | undefined;
  return () => {
    if (last === undefined) {
      const asked = askCluster(cluster);
      const expire = (): void => {
        setTimeout(() => {
          last = undefined;
        }, CHECK_REUSED_MS).unref();
      };
      asked.then(expire, expire);
      last = asked;
    }
    return last;
  };
}

/** Any broker will do: one that is away is not the cluster. */
async function askCluster(cluster: KafkaCluster): Promise<void> {
  const answerTimeoutMs = CHECK_ANSWERS_MS / cluster.brokers.length;
  const leaders = new Leaders({ ...cluster, clientId: 'surety-health', answerTimeoutMs });
  await leaders.learn([]);
}
