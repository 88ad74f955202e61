import { describe, expect, it, jest } from '@jest/globals';
import type { Bug } from './bugs.js';
import { simulate } from './simulate.js';

/** Only against a run that never ends: the time a busy machine needs says nothing. */
jest.setTimeout(120_000);

const TRANSFERS = 30;

/** The number of the first history in which something breaks; undefined where none does. */
async function firstBroken(bug: Bug, seedsMax: number): Promise<number | undefined> {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const { violations } = await simulate({ seed, transfers: TRANSFERS, bug });
    if (violations.length > 0) return seed;
  }
  return undefined;
}

/** Bounds leave room: histories change with every wait that the product's code gains or loses. */
describe('a planted bug', () => {
  it.each<[Bug, number]>([
    ['release_on_a_timer', 60],
    ['repair_beside_the_steps', 40],
    ['offset_before_commit', 40],
    ['cursor_skips_late_rows', 20],
    ['deletion_by_range', 40],
    ['deletion_before_publishing', 10],
    ['no_decision_check', 10],
    ['key_apart_from_its_transfer', 20],
    ['duplicate_key_ignored', 10],
    ['acknowledged_before_commit', 10],
    ['retry_under_a_new_key', 10],
    ['projector_without_version_guard', 10],
    ['voided_event_lost', 10],
    ['decision_deleted_and_hold_replayed', 20],
    ['hold_without_a_look_at_the_balance', 20],
    ['rows_read_without_locks', 80],
    ['chain_onto_another_shard', 60],
    ['stale_epoch_accepted', 40],
    ['retry_that_is_not_idempotent', 100],
    ['fingerprint_ignored', 10],
  ])('%s is found within %i histories', async (bug, seedsMax) => {
    const seed = await firstBroken(bug, seedsMax);
    expect(seed).toBeDefined();
    const { violations } = await simulate({ seed: seed!, transfers: TRANSFERS });
    expect(violations).toEqual([]);
  });
});
