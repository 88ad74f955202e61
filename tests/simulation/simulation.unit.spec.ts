import { describe, expect, it, jest } from '@jest/globals';
import { simulate } from './simulate.js';
import type { SimulationResult } from './simulate.js';
import { report } from './trace.js';

/** Only against a run that never ends: the time a busy machine needs says nothing. */
jest.setTimeout(120_000);

const TRANSFERS = 30;
const FIXED_SEEDS = Array.from({ length: 24 }, (_, n) => n + 1);
const FRESH_SEEDS = 6;

async function histories(seeds: readonly number[]): Promise<SimulationResult[]> {
  const results: SimulationResult[] = [];
  for (const seed of seeds) {
    const result = await simulate({ seed, transfers: TRANSFERS });
    if (result.violations.length > 0) throw new Error(report(result));
    results.push(result);
  }
  return results;
}

describe('a simulated world', () => {
  it('keeps every promise in a fixed set of histories, which meet every kind of fault', async () => {
    const results = await histories(FIXED_SEEDS);
    const kinds = new Set(results.flatMap(({ faults }) => [...faults.keys()]));
    expect([...kinds].sort()).toEqual([
      'account_status',
      'cancel',
      'clock_moved',
      'crash',
      'failed_publish',
      'failed_transaction',
      'held_back',
      'late_commit',
      'lost_acknowledgement',
      'messages_lost',
      'pause',
      'process_killed',
      'process_paused',
      'read_again',
      'reordered_messages',
      'repeated_message',
      'retried_transaction',
      'shard_away',
      'unacknowledged_publish',
    ]);
    for (const result of results) expect(result.transfers).toBeGreaterThanOrEqual(TRANSFERS);
  });

  it('keeps every promise in histories that nobody has seen before', async () => {
    const first = Math.floor(Math.random() * 2 ** 31);
    await histories(Array.from({ length: FRESH_SEEDS }, (_, n) => first + n));
  });

  it('comes to the same history from the same seed', async () => {
    const [one, other] = await histories([42, 42]);
    expect(other!.trace).toEqual(one!.trace);
    expect(one!.trace.length).toBeGreaterThan(TRANSFERS);
  });
});
