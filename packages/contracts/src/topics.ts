/**
 * Topics by addressee. The name carries a generation: a change that readers of the old messages
 * cannot bear goes to new topics, never into the old ones.
 */
export const TOPIC_GENERATION = 1;

export const TOPICS = {
  /** For the source's shard: requested (hold it), credited (commit it), refused and voided (release it). */
  toSource: `surety.to-source.g${TOPIC_GENERATION}`,
  /** For the destination's shard: held (credit it). */
  toDestination: `surety.to-destination.g${TOPIC_GENERATION}`,
  /** For everybody else: committed, rejected, cancelled, and what was followed where it was written. */
  ended: `surety.ended.g${TOPIC_GENERATION}`,
} as const;

export type Topic = keyof typeof TOPICS;

export const TOPIC_NAMES: readonly string[] = Object.values(TOPICS);

/** The addressee that a topic's name stands for, or undefined where the name is none of ours. */
export function topicOfName(name: string): Topic | undefined {
  return (Object.keys(TOPICS) as Topic[]).find((topic) => TOPICS[topic] === name);
}
