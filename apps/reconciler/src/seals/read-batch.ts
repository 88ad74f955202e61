import type { CrowdedNumber, EntryRange, FoundEntries, StepEntry } from '@surety/db';

/** Entries in memory at a time, with their steps and events. */
export const BATCH_ENTRIES_MAX = 500n;

/** What was found of one account: its entries by number, and numbers too crowded to be read. */
export interface AccountEntries<Entry extends StepEntry> {
  readonly entries: readonly Entry[];
  readonly crowded: readonly CrowdedNumber[];
}

/** Entries and crowded numbers by their account, in the order in which they come. */
export function byAccount<Entry extends StepEntry>(
  found: FoundEntries<Entry>,
): (account: string) => AccountEntries<Entry> {
  const [entries, crowded] = [grouped(found.entries), grouped(found.crowded)];
  return (account) => ({
    entries: entries.get(account) ?? [],
    crowded: crowded.get(account) ?? [],
  });
}

function grouped<Row extends { readonly account: string }>(
  rows: readonly Row[],
): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.account);
    if (group) group.push(row);
    else groups.set(row.account, [row]);
  }
  return groups;
}

/** What is wrong about a crowded number, in words, and the values. */
export function crowdProblem({ entries, lastLeg }: CrowdedNumber): {
  readonly problem: string;
  readonly detail: Readonly<Record<string, string>>;
} {
  if (entries > 1n) return { problem: `${entries} entries have this number`, detail: {} };
  const problem = 'its step has far more legs than it can have';
  return { problem, detail: { lastLeg: String(lastLeg) } };
}

export function rangeSize({ firstSeq, lastSeq }: Pick<EntryRange, 'firstSeq' | 'lastSeq'>): bigint {
  return lastSeq - firstSeq + 1n;
}

export function entriesOf(ranges: readonly EntryRange[]): bigint {
  return ranges.reduce((sum, range) => sum + rangeSize(range), 0n);
}
