import { describe, expect, it } from '@jest/globals';
import type { Bug } from './bugs.js';
import { simulate } from './simulate.js';

const TRANSFERS = 30;

/** The number of the first history in which something breaks; undefined where none does. */
async function firstBroken(bug: Bug, seedsMax: number): Promise<number | undefined> {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const { violations } = await simulate({ seed, transfers: TRANSFERS, bug });
    if (violations.length > 0) return seed;
  }
  return undefined;
}

describe('a planted bug', () => {
  it.each<[Bug, number]>([
    ['release_on_a_timer', 10],
    ['repair_beside_the_steps', 10],
    ['offset_before_commit', 5],
    ['cursor_skips_late_rows', 5],
    ['deletion_by_range', 60],
    ['deletion_before_publishing', 5],
    ['no_decision_check', 5],
    ['key_apart_from_its_transfer', 5],
    ['acknowledged_before_commit', 5],
    ['retry_under_a_new_key', 10],
    ['projector_without_version_guard', 5],
    ['voided_event_lost', 5],
    ['decision_deleted_and_hold_replayed', 5],
    ['hold_without_a_look_at_the_balance', 5],
    ['rows_read_without_locks', 10],
    ['chain_onto_another_shard', 10],
  ])('%s is found within %i histories', async (bug, seedsMax) => {
    expect(await firstBroken(bug, seedsMax)).toBeDefined();
  });
});
