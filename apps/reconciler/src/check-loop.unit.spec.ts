import { describe, expect, it } from '@jest/globals';
import type { VerifiedPoint } from '@surety/db';
import { CheckSchedule } from './check-loop.js';

const HOUR_MS = 3_600_000;
const NOW = '2026-01-31T12:00:00.000000Z';

function point(fields: Partial<VerifiedPoint>): VerifiedPoint {
  return { verifiedAt: NOW, fullAt: NOW, fullFindings: 0, now: NOW, ...fields };
}

const FRESH = point({});
const NEVER = point({ verifiedAt: null, fullAt: null });
const A_DAY_AGO = '2026-01-30T12:00:00.000000Z';
const ALMOST_A_DAY_AGO = '2026-01-30T12:00:00.001000Z';

describe('the schedule of the checks', () => {
  it.each([
    ['everything was looked at just now', [FRESH], 24, 'since'],
    ['one shard was never looked at', [FRESH, NEVER], 24, 'full'],
    ['everything was looked at a day ago', [FRESH, point({ fullAt: A_DAY_AGO })], 24, 'full'],
    ['it is a millisecond less', [point({ fullAt: ALMOST_A_DAY_AGO })], 24, 'since'],
    ['it is not wanted by itself', [point({ fullAt: A_DAY_AGO })], 0, 'since'],
    ['it is not wanted, and nothing was verified', [NEVER], 0, 'full'],
  ] as const)('where %s', (_what, points, hours, form) => {
    const schedule = new CheckSchedule({ fullIntervalMs: hours * HOUR_MS });
    expect(schedule.next(points, 0)).toBe(form);
  });

  it('lets a look at everything that found something rest before the next one', () => {
    const schedule = new CheckSchedule({ fullIntervalMs: 24 * HOUR_MS });
    schedule.ran({ form: 'full', ms: 1_000 }, 5_000);
    expect(schedule.next([NEVER], 14_999)).toBeUndefined();
    expect(schedule.next([point({ fullAt: A_DAY_AGO })], 14_999)).toBe('since');
    expect(schedule.next([NEVER], 15_000)).toBe('full');
  });

  it('does not rest after a look at what is new', () => {
    const schedule = new CheckSchedule({ fullIntervalMs: 24 * HOUR_MS });
    schedule.ran({ form: 'since', ms: 60_000 }, 0);
    expect(schedule.next([NEVER], 1)).toBe('full');
  });
});
