import { TOPIC_NAMES } from '@surety/contracts';
import { eventually } from '@surety/testing/system';
import { digestTables } from '../checker/digest-tables.js';
import { Broker, GROUPS_OF_PROCESSES } from './broker.js';
import type { ChaosSystem } from './chaos-system.js';

export interface Replay {
  readonly messages: number;
  readonly tables: number;
  readonly tookMs: number;
  /** Tables whose bytes are not what they were. */
  readonly changed: readonly string[];
}

const READ_WITHIN_MS = 600_000;

/** Waits until every group has read all there is. */
export async function untilRead(chaos: ChaosSystem, withinMs = READ_WITHIN_MS): Promise<void> {
  const broker = new Broker(chaos.system.servers.broker);
  for (const { group, topics } of Object.values(GROUPS_OF_PROCESSES)) {
    const isRead = async (): Promise<true | undefined> =>
      (await broker.lag(group, topics)) === 0 ? true : undefined;
    await eventually(`the end of what ${group} reads`, isRead, { withinMs, everyMs: 500 });
  }
}

/**
 * Every message of every topic once more, from the oldest on, to consumers that have forgotten how
 * far they were. Only consumers run, so that nothing else can change a table: not one is left out
 * of the comparison, and what a consumer would have sent would lie in the outbox.
 */
export async function replayEverything(chaos: ChaosSystem): Promise<Replay> {
  const { system } = chaos;
  const broker = new Broker(system.servers.broker);
  const startedAt = performance.now();
  await Promise.all(chaos.processes.map((process) => process.stop()));
  const before = await digestTables(system.shardUrls);
  for (const { group } of Object.values(GROUPS_OF_PROCESSES)) await broker.forgetGroup(group);
  const consumers = chaos.processes.filter(({ name }) => name in GROUPS_OF_PROCESSES);
  await Promise.all(consumers.map((consumer) => consumer.start()));
  await untilRead(chaos);
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  const after = await digestTables(system.shardUrls);
  return {
    messages: await broker.size(TOPIC_NAMES),
    tables: before.size,
    tookMs: Math.round(performance.now() - startedAt),
    changed: [...new Set([...before.keys(), ...after.keys()])].filter(
      (table) => before.get(table) !== after.get(table),
    ),
  };
}
