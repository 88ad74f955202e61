import { describe, expect, it, jest } from '@jest/globals';
import { digestOf, simulate } from './simulate.js';
import type { SimulationResult } from './simulate.js';
import { report } from './trace.js';

/** Only against a run that never ends: the time a busy machine needs says nothing. */
jest.setTimeout(120_000);

const TRANSFERS = 30;
const FIXED_SEEDS = Array.from({ length: 24 }, (_, n) => n + 1);
const FRESH_SEEDS = 6;
const FAULT_KINDS = [
  'account_status',
  'cancel',
  'concurrent_request',
  'crash',
  'database_clock_moved',
  'failed_publish',
  'failed_transaction',
  'held_back',
  'kept_rows',
  'late_commit',
  'lease_changed_hands',
  'lost_acknowledgement',
  'lost_answer',
  'lost_request',
  'lost_ring',
  'messages_lost',
  'other_body',
  'partition_moved',
  'partition_taken_over',
  'pause',
  'process_clock_skewed',
  'process_killed',
  'process_paused',
  'read_again',
  'reordered_messages',
  'repeated_message',
  'retried_transaction',
  'shard_away',
  'shard_cut_off',
  'slots_moved',
  'unacknowledged_publish',
];

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
    expect([...kinds].sort()).toEqual(FAULT_KINDS);
    for (const result of results) expect(result.transfers).toBeGreaterThanOrEqual(TRANSFERS);
  });

  it('keeps every promise in histories that nobody has seen before', async () => {
    const first = Math.floor(Math.random() * 2 ** 31);
    await histories(Array.from({ length: FRESH_SEEDS }, (_, n) => first + n));
  });

  it('keeps every promise in the histories that once broke one', async () => {
    // Slots moved between a cancel's fence and its look at what stands there.
    await histories([822_989_491]);
  });

  it('comes to the same history from the same seed, and to another from another', async () => {
    const [one, other, another] = await histories([42, 42, 43]);
    expect(digestOf(other!)).toBe(digestOf(one!));
    expect(digestOf(another!)).not.toBe(digestOf(one!));
    expect(one!.trace.length).toBeGreaterThan(TRANSFERS);
  });

  it('explains a broken promise by the history of the transfers involved, and how to see it again', async () => {
    const bug = 'deletion_before_publishing';
    const result = await simulate({ seed: 1, transfers: TRANSFERS, bug });
    const text = report(result);
    expect(text).toContain('deleted and was never sent');
    expect(text).toContain(`npm run simulate -- --seed 1 --transfers ${TRANSFERS}`);
  });
});
