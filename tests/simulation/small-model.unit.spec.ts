import { describe, expect, it, jest } from '@jest/globals';
import type { ShardStore } from '@surety/saga';
import { SMALL_CASES, runCase } from './small-model-cases.js';

/** Only against a run that never ends: the time a busy machine needs says nothing. */
jest.setTimeout(120_000);

/** A credit that does not look whether the transfer was voided. */
function withoutDecisions(store: ShardStore): ShardStore {
  return {
    shard: store.shard,
    transact: (load, decide) =>
      store.transact(load, (loaded) => decide({ ...loaded, decisions: new Map() })),
  };
}

describe('every order of events', () => {
  it.each(SMALL_CASES)('keeps every promise: $name', async (one) => {
    const result = await runCase(one);
    expect(result.violations).toEqual([]);
    expect([...result.ends].sort()).toEqual(['cancelled', 'committed', 'rejected']);
    expect(result.states).toBeGreaterThan(300);
  });

  it('includes the ones in which a bug shows', async () => {
    const { violations } = await runCase(SMALL_CASES[0]!, withoutDecisions);
    expect(violations[0]).toContain('duplicate key');
  });
});
