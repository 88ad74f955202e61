import { describe, expect, it } from '@jest/globals';
import { TOPICS } from '@surety/contracts';
import { WORKER_STEPS, groupIdOf, topicsOf, workerStepOf } from './worker-steps.js';
import type { WorkerStep } from './worker-steps.js';

describe('the step that an event asks for', () => {
  it.each([
    ['requested', 'hold'],
    ['held', 'credit'],
    ['credited', 'settle'],
    ['refused', 'settle'],
    ['voided', 'settle'],
    ['committed', undefined],
    ['rejected', undefined],
    ['cancelled', undefined],
  ] as const)('%s: %s', (type, step) => {
    expect(workerStepOf({ type })).toBe(step);
  });
});

describe('the group and topics of a process', () => {
  it.each([
    [[...WORKER_STEPS], 'surety-workers', [TOPICS.toSource, TOPICS.toDestination]],
    [['settle', 'credit', 'hold'], 'surety-workers', [TOPICS.toSource, TOPICS.toDestination]],
    [['hold'], 'surety-workers-hold', [TOPICS.toSource]],
    [['credit'], 'surety-workers-credit', [TOPICS.toDestination]],
    [['settle', 'credit'], 'surety-workers-credit-settle', [TOPICS.toSource, TOPICS.toDestination]],
    [['settle', 'hold'], 'surety-workers-hold-settle', [TOPICS.toSource]],
  ] as [WorkerStep[], string, string[]][])('that runs %j', (steps, groupId, topics) => {
    expect(groupIdOf(steps)).toBe(groupId);
    expect(topicsOf(steps)).toEqual(topics);
  });
});
