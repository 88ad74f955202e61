import { checkAsked } from './check-asked.js';
import { checkHistories } from './check-histories.js';
import { checkLedger } from './check-ledger.js';
import { checkSnapshots } from './check-snapshots.js';
import { readFound } from './found.js';
import type { Found } from './found.js';
import { readFacts } from './journal-facts.js';
import type { JournalFacts } from './journal-facts.js';
import { withShardReaders } from './shard-reader.js';
import { Violations } from './violations.js';

export interface CheckResult {
  /** In words, with the transfers they are about; none is what is promised. */
  readonly violations: string[];
  readonly counts: Record<string, number>;
}

/**
 * Compares what the clients were told with what the tables of all shards say, and the tables with
 * each other. The system must be at rest. Knows the HTTP contract and the documented tables, and
 * none of the system's code.
 */
export async function checkJournal(of: {
  readonly journalFile: string;
  readonly shardUrls: readonly string[];
}): Promise<CheckResult> {
  const violations = new Violations();
  const facts = await readFacts(of.journalFile, violations);
  return withShardReaders(of.shardUrls, async (readers) => {
    const found = await readFound(readers, violations);
    checkAsked(facts, found, violations);
    checkHistories(found, violations);
    checkLedger(found, violations);
    checkSnapshots(found, violations);
    return { violations: violations.lines(), counts: countsOf(facts, found, violations) };
  });
}

function countsOf(
  facts: JournalFacts,
  found: Found,
  violations: Violations,
): CheckResult['counts'] {
  const movements = [...facts.movements.values()];
  const rows = [...found.transfers.values()].flatMap((transfer) => transfer.rows);
  const inState = (state: string): number => rows.filter((row) => row.state === state).length;
  return {
    ...facts.counts,
    keys: movements.length,
    acknowledged: movements.filter(({ ids }) => ids.size > 0).length,
    lost: violations.count('acknowledged transfer missing'),
    doubled: violations.count('key made several transfers'),
    statusesCompared: facts.seen.size,
    transfers: rows.filter(({ kind }) => kind === 'transfer').length,
    fundings: rows.filter(({ kind }) => kind === 'funding').length,
    committed: inState('committed'),
    rejected: inState('rejected'),
    cancelled: inState('cancelled'),
    accounts: found.accounts.size,
    legs: found.legs.length,
  };
}
