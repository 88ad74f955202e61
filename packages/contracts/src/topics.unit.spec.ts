import { expect, it } from '@jest/globals';
import { TOPICS, TOPIC_GENERATION, TOPIC_NAMES, topicOfName } from './topics.js';
import type { Topic } from './topics.js';

it.each<[Topic, string]>([
  ['toSource', 'surety.to-source.g1'],
  ['toDestination', 'surety.to-destination.g1'],
  ['ended', 'surety.ended.g1'],
])('%s is the topic %s', (topic, name) => {
  expect(TOPICS[topic]).toBe(name);
  expect(topicOfName(name)).toBe(topic);
});

it('every name carries the generation, and there are no others', () => {
  expect(TOPIC_NAMES).toHaveLength(3);
  expect(TOPIC_NAMES.every((name) => name.endsWith(`.g${TOPIC_GENERATION}`))).toBe(true);
});

it.each(['', 'ended', 'toSource', 'surety.ended.g0', 'surety.ended.g2', 'surety.ended'])(
  '%j is no topic of this generation',
  (name) => {
    expect(topicOfName(name)).toBeUndefined();
  },
);
