import { describe, expect, test } from '@jest/globals';
import type { Step, TransferEventType } from '@surety/domain';
import type { EventRow } from '@surety/saga';
import { mergeTimelines } from './timeline.js';

function anEvent(step: Step, type: TransferEventType, reason?: string): EventRow {
  const occurredAt = `2026-01-01T00:00:${step}.000000Z`;
  const envelope = JSON.stringify({ data: reason === undefined ? {} : { reason } });
  return { transferId: 't', step, slot: 1, type, occurredAt, envelope };
}

describe('the timeline', () => {
  test('merges the events of both shards by step', () => {
    const merged = mergeTimelines([
      {
        shard: 0,
        events: [
          anEvent(10, 'requested'),
          anEvent(20, 'held'),
          anEvent(40, 'rejected', 'destination_closed'),
        ],
      },
      { shard: 1, events: [anEvent(30, 'refused', 'destination_closed')] },
    ]);
    expect(merged).toEqual([
      { step: 10, event: 'requested', at: '2026-01-01T00:00:10.000000Z', shard: 0 },
      { step: 20, event: 'held', at: '2026-01-01T00:00:20.000000Z', shard: 0 },
      {
        step: 30,
        event: 'refused',
        at: '2026-01-01T00:00:30.000000Z',
        shard: 1,
        reason: 'destination_closed',
      },
      {
        step: 40,
        event: 'rejected',
        at: '2026-01-01T00:00:40.000000Z',
        shard: 0,
        reason: 'destination_closed',
      },
    ]);
  });
});
