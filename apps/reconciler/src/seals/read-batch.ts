import type { EntryRange, StepEntry } from '@surety/db';

/** Entries in memory at a time, with their steps and events. */
export const BATCH_ENTRIES_MAX = 500n;

/** Entries by their account, in the order in which they come. */
export function byAccount<Entry extends StepEntry>(
  found: readonly Entry[],
): ReadonlyMap<string, readonly Entry[]> {
  const entries = new Map<string, Entry[]>();
  for (const entry of found) {
    const known = entries.get(entry.account);
    if (known) known.push(entry);
    else entries.set(entry.account, [entry]);
  }
  return entries;
}

export function rangeSize({ firstSeq, lastSeq }: Pick<EntryRange, 'firstSeq' | 'lastSeq'>): bigint {
  return lastSeq - firstSeq + 1n;
}

export function entriesOf(ranges: readonly EntryRange[]): bigint {
  return ranges.reduce((sum, range) => sum + rangeSize(range), 0n);
}
