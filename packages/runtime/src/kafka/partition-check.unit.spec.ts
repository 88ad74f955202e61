import { afterEach, expect, test } from '@jest/globals';
import { recordedLog } from '@surety/testing/recorded-log';
import { ConfigurationError } from '../configuration-error.js';
import { checkPartitions } from './partition-check.js';
import type { PartitionCheck } from './partition-check.js';

/** What a question is answered with: partitions of the topic, or why nobody answers. */
type Answer = number | Error;

const AWAY = new Error('no broker answers');
const REFUSED = new Error('no broker answers', { cause: new TypeError('it refuses us') });

const { log, lines } = recordedLog('info');
let opened: PartitionCheck | undefined;

afterEach(async () => {
  await opened?.stop();
  lines.splice(0);
});

/** The last answer is given for ever. */
async function startWith(...answers: readonly [Answer, ...Answer[]]): Promise<Scene> {
  const scene: Scene = { asked: 0, check: () => Promise.resolve() };
  opened = await checkPartitions({
    ...{ brokers: ['kafka:9092'], topics: ['topic'], partitions: 4, log },
    pace: { patienceMs: 10_000, againMs: 1, laterMs: 5 },
    count: async () => {
      const answer = answers[Math.min(scene.asked, answers.length - 1)];
      scene.asked += 1;
      if (typeof answer !== 'number') throw answer ?? AWAY;
      return new Map([['topic', answer]]);
    },
  });
  scene.check = opened.check;
  return scene;
}

interface Scene {
  asked: number;
  check: () => Promise<void>;
}

async function untilAsked(scene: Scene, times: number): Promise<void> {
  while (scene.asked < times) await new Promise((resolve) => setTimeout(resolve, 1));
}

const levels = (): string[] => lines.map(({ level }) => level);

test('what a start has found stays known when the next question has no answer', async () => {
  const scene = await startWith(3, AWAY);
  await expect(scene.check()).rejects.toBeInstanceOf(ConfigurationError);
  expect(levels()).toEqual(['warn', 'error']);
  await untilAsked(scene, 4);
  await expect(scene.check()).rejects.toThrow('topic topic has 3 partitions, expected 4');
  expect(levels()).toEqual(['warn', 'error']);
});

test('it is forgotten once there are enough', async () => {
  const scene = await startWith(3, AWAY, AWAY, 3, 4);
  await expect(scene.check()).rejects.toBeInstanceOf(ConfigurationError);
  await untilAsked(scene, 5);
  await new Promise((resolve) => setImmediate(resolve));
  await expect(scene.check()).resolves.toBeUndefined();
  expect(levels()).toEqual(['warn', 'error', 'info', 'info']);
});

test('nobody having told anything is no failure', async () => {
  const scene = await startWith(AWAY);
  await untilAsked(scene, 3);
  await expect(scene.check()).resolves.toBeUndefined();
});

test('why nobody told is a line of its own for each kind of failure, and so is its end', async () => {
  const scene = await startWith(AWAY, AWAY, REFUSED, REFUSED, 4);
  await untilAsked(scene, 5);
  await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toMatchObject([
    { level: 'warn', error: { message: 'no broker answers' } },
    { level: 'warn', error: { cause: { message: 'it refuses us' } } },
    { level: 'info' },
  ]);
});
