import { describe, expect, it } from '@jest/globals';
import type { Step, TransferEventType } from '@surety/domain';
import { statusOfEvents } from './index.js';
import type { EventRow } from './index.js';

function anEvent(step: Step, type: TransferEventType, reason?: string): EventRow {
  const occurredAt = `2026-01-01T00:00:${step}.000000Z`;
  const envelope = JSON.stringify({ data: reason === undefined ? {} : { reason } });
  return { transferId: 't', step, slot: 1, type, occurredAt, envelope };
}

describe('the status that a stream tells', () => {
  it.each<[string, EventRow[], string | undefined]>([
    ['nothing', [], undefined],
    ['a request', [anEvent(10, 'requested')], 'requested'],
    ['a hold', [anEvent(20, 'held'), anEvent(10, 'requested')], 'held'],
    ['a decision on the same shard', [anEvent(20, 'held'), anEvent(30, 'credited')], 'held'],
    ['a commit', [anEvent(10, 'requested'), anEvent(40, 'committed')], 'committed'],
    ['a rejection', [anEvent(10, 'requested'), anEvent(20, 'rejected', 'x')], 'rejected'],
  ])('of %s is the newest of the source', (_what, events, expected) => {
    expect(statusOfEvents(events)?.status).toBe(expected);
  });
});
