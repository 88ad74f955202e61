import { describe, expect, it, jest } from '@jest/globals';
import { createLogger, createMetrics } from '@surety/runtime';
import { telemetryListener } from './telemetry.js';

describe('the log of a repair', () => {
  it('is one line of level info with the ids of the transfer and of its trace', () => {
    const log = createLogger({ process: 'reconciler', instance: 'r-1', level: 'info' });
    const info = jest.spyOn(log, 'info').mockReturnValue(log);
    telemetryListener(log, createMetrics('reconciler')).repaired({
      kind: 'release',
      cause: 'hold_expired',
      shard: 0,
      slot: 7,
      transferId: '01890a5d-ac96-774b-bcce-b302099a8057',
      traceId: 'ab'.repeat(16),
      before: { state: 'held' },
      after: { state: 'cancelled' },
    });
    const ids = {
      transferId: '01890a5d-ac96-774b-bcce-b302099a8057',
      traceId: 'ab'.repeat(16),
    };
    expect(info.mock.calls).toMatchObject([['repair: release', ids]]);
  });
});
